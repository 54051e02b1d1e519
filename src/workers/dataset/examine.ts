/** One decoded picture → its thumbnail and what can be told by looking at it. */
import { lookOf, type ImageLook } from "../../dataset/imageLook";
import { compositeOn, type Pixels } from "../../dataset/pixels";
import { canvas2d } from "./decode";

const thumbnailSide = 256;
const thumbnailQuality = 0.86;
/** What blur and likeness are judged at: about the size that pictures are trained at. */
const examinedSide = 512;
/** A pixel this opaque shows its own colour. */
const opaque = 250;

function scaled({ width, height }: { width: number; height: number }, side: number): [number, number] {
  const scale = Math.min(1, side / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** The picture, or a piece of it, drawn at a size. */
function drawn(
  picture: CanvasImageSource,
  [x, y, sourceWidth, sourceHeight]: [number, number, number, number],
  [width, height]: [number, number],
): { canvas: OffscreenCanvas; pixels: Pixels } {
  const { canvas, context } = canvas2d(width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, sourceWidth, sourceHeight, 0, 0, width, height);
  return {
    canvas,
    pixels: { data: context.getImageData(0, 0, width, height).data, width, height, channels: 4 },
  };
}

/** A piece of the middle as stored, its corner on JPEG's 8 × 8 grid. */
function middleOf({ width, height }: ImageBitmap): [number, number, number, number] {
  const [w, h] = [Math.min(width, examinedSide), Math.min(height, examinedSide)];
  const onGrid = (value: number): number => Math.floor(value / 16) * 8;
  return [onGrid(width - w), onGrid(height - h), w, h];
}

function hasAlpha({ data }: Pixels): boolean {
  for (let i = 3; i < data.length; i += 4) if ((data[i] ?? 255) < opaque) return true;
  return false;
}

const white = [255, 255, 255] as const;

export interface Examined {
  thumbnail: Blob;
  look: ImageLook;
  alpha: boolean;
}

export async function examine(picture: ImageBitmap): Promise<Examined> {
  const { width, height } = picture;
  const whole = drawn(picture, [0, 0, width, height], scaled(picture, examinedSide));
  const middle = drawn(picture, middleOf(picture), [
    Math.min(width, examinedSide),
    Math.min(height, examinedSide),
  ]);
  return {
    thumbnail: await thumbnailOf(whole.canvas),
    look: lookOf(compositeOn(whole.pixels, white), compositeOn(middle.pixels, white)),
    alpha: hasAlpha(whole.pixels),
  };
}

/** A picture of at most 256 px a side; small drawings stay as they are, without loss. */
async function thumbnailOf(whole: OffscreenCanvas): Promise<Blob> {
  if (Math.max(whole.width, whole.height) <= thumbnailSide) return whole.convertToBlob({ type: "image/png" });
  const { canvas } = drawn(whole, [0, 0, whole.width, whole.height], scaled(whole, thumbnailSide));
  return canvas.convertToBlob({ type: "image/webp", quality: thumbnailQuality });
}
