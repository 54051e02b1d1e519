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
