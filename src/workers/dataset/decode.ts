/** Pixels through the browser's own codecs, the most tested ones there are. */
import { WeftError } from "../../base/errors";
import type { DecodedImage } from "./api";

const thumbnailSide = 256;
const thumbnailQuality = 0.86;

/** Upright, and otherwise the bytes as stored: no colour conversion, no premultiplied alpha. */
const asStored: ImageBitmapOptions = { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" };

/** @throws `undecodable` when the browser's codec refuses the file; the message reads after the file's name. */
export async function openPicture(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, asStored);
  } catch {
    throw new WeftError("undecodable", "is damaged: it cannot be decoded.", "Open it in an image program and save it again.");
  }
}

function canvas2d(width: number, height: number): { canvas: OffscreenCanvas; context: OffscreenCanvasRenderingContext2D } {
  const canvas = new OffscreenCanvas(width, height);
  // Reading pixels back: a canvas in main memory does it exactly and without a detour over the GPU.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new WeftError("no-canvas", "The browser could not make a canvas for a picture.", "Close other tabs and try again.");
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

/** A picture of at most 256 px a side; small drawings stay as they are, without loss. */
export async function thumbnailOf(picture: ImageBitmap): Promise<Blob> {
  const scale = Math.min(1, thumbnailSide / Math.max(picture.width, picture.height));
  const { canvas, context } = canvas2d(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob(scale === 1 ? { type: "image/png" } : { type: "image/webp", quality: thumbnailQuality });
}
