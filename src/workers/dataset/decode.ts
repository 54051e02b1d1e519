/** Pixels through the browser's own codecs, the most tested ones there are. */
import { WeftError } from "../../base/errors";
import { bucketsFor } from "../../dataset/buckets";
import type { Pixels } from "../../dataset/pixels";
import { prepareForTraining, prepareMask } from "../../dataset/prepare";
import type { CropPoint } from "../../dataset/crop";
import type { DecodedImage } from "./api";
import { openHeic } from "./heic";

/** Upright, and otherwise the bytes as stored: no colour conversion, no premultiplied alpha. */
const asStored: ImageBitmapOptions = {
  imageOrientation: "from-image",
  premultiplyAlpha: "none",
  colorSpaceConversion: "none",
};

async function isHeic(file: Blob): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, 64).arrayBuffer());
  return /^....ftyp.*(hei[cmsx]|hev[cmsx])/s.test(String.fromCharCode(...head));
}

/** @throws `undecodable` when the codec refuses the file; the message reads after the file's name. */
export async function openPicture(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, asStored);
  } catch {
    if (await isHeic(file)) return openHeic(file);
    throw new WeftError(
      "undecodable",
      "is damaged: it cannot be decoded.",
      "Open it in an image program and save it again.",
    );
  }
}

export interface Canvas {
  canvas: OffscreenCanvas;
  context: OffscreenCanvasRenderingContext2D;
}

export function canvas2d(width: number, height: number): Canvas {
  const canvas = new OffscreenCanvas(width, height);
  // Reading pixels back: a canvas in main memory does it exactly and without a detour over the GPU.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context)
    throw new WeftError(
      "no-canvas",
      "The browser could not make a canvas for a picture.",
      "Close other tabs and try again.",
    );
  return { canvas, context };
}

/** RGBA of a picture on white. Pixels without transparency keep their exact values. */
export function pixelsOnWhite(picture: ImageBitmap): DecodedImage {
  const { width, height } = picture;
  const { context } = canvas2d(width, height);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0);
  return { pixels: context.getImageData(0, 0, width, height).data, width, height };
}

/** How opaque each pixel is, 0…255, `[height, width]`. */
export function opacity(picture: ImageBitmap): Uint8Array<ArrayBuffer> {
  const { width, height } = picture;
  const { context } = canvas2d(width, height);
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: width * height }, (_, pixel) => data[4 * pixel + 3] ?? 255);
}

/**
 * The picture at the size a run at `resolution` trains it. What the engine does with it again then changes nothing,
 * and photographs never cross a worker border at full size.
 */
export function toBucket(decoded: DecodedImage, resolution: number, crop?: CropPoint): DecodedImage {
  const { pixels, width, height, mask } = decoded;
  const whole: Pixels = { data: pixels, width, height, channels: 4 };
  const buckets = bucketsFor(resolution);
  const cut = withAlpha(prepareForTraining(whole, buckets, { crop }));
  return {
    ...cut,
    ...(mask && { mask: prepareMask(mask, [width, height], buckets, crop) }),
    originalSize: [width, height],
  };
}

function withAlpha({ data, width, height }: Pixels): DecodedImage {
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++)
    pixels.set(data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
  return { pixels, width, height };
}
