/** From decoded pixels to what is trained on: composited, resized as the trainer resizes, cropped to its bucket. */
import { areaResize } from "./areaResize";
import { assignBucket } from "./buckets";
import type { BucketSettings, Size } from "./buckets";
import { cropOffset, type CropPoint } from "./crop";
import { lanczosResize } from "./pillowResize";
import { compositeOn, cropPixels } from "./pixels";
import type { Pixels } from "./pixels";

const WHITE = [255, 255, 255] as const;

/** Area averaging when no side grows, else Lanczos; nothing when the size is right already. */
export function trainingResize(pixels: Pixels, [width, height]: Size): Pixels {
  if (pixels.width === width && pixels.height === height) return pixels;
  const shrinks = pixels.width >= width && pixels.height >= height;
  return shrinks ? areaResize(pixels, width, height) : lanczosResize(pixels, width, height);
}

export interface PrepareOptions {
  /** Shows where the picture is transparent. */
  background?: readonly [number, number, number];
  /** What the bucket keeps in view; the middle by default. */
  crop?: CropPoint | undefined;
}

/**
 * A mask cut as its picture is, with the same resize.
 * @param mask 0…255, `[height, width]`. @returns the same of the bucket's size
 */
export function prepareMask(
  mask: Uint8Array,
  [width, height]: Size,
  settings: BucketSettings,
  crop: CropPoint | undefined,
): Uint8Array<ArrayBuffer> {
  const data = Uint8Array.from({ length: 3 * mask.length }, (_, i) => mask[Math.floor(i / 3)] ?? 0);
  const cut = prepareForTraining({ data, width, height, channels: 3 }, settings, { crop });
  return Uint8Array.from({ length: cut.width * cut.height }, (_, pixel) => cut.data[3 * pixel] ?? 0);
}

/**
 * @param pixels upright, RGB or RGBA.
 * @returns RGB of the picture's bucket size.
 * @throws WeftError as `assignBucket`.
 */
export function prepareForTraining(
  pixels: Pixels,
  settings: BucketSettings,
  { background = WHITE, crop }: PrepareOptions = {},
): Pixels {
  const { bucket, resized } = assignBucket([pixels.width, pixels.height], settings);
  const [x, y] = cropOffset(resized, bucket, crop);
  return cropPixels(trainingResize(compositeOn(pixels, background), resized), x, y, bucket[0], bucket[1]);
}
