/** SDXL's size conditioning: the picture's original size, where it was cropped, and the size it is trained at. */
import { timestepEmbedding } from "./timestepEmbedding";

/** In pixels, vertical number first. */
export interface SizeCondition {
  readonly original: readonly [height: number, width: number];
  /** Top and left of the crop. */
  readonly crop: readonly [top: number, left: number];
  readonly target: readonly [height: number, width: number];
}

const NUMBERS = 6;

/** Width of the embedding of all six numbers. @param dim channels of one number */
export function sizesWidth(dim: number): number {
  return NUMBERS * dim;
}

/** An uncropped picture of this size in pixels: what the web UI says of what it makes. */
export function wholePicture(height: number, width: number): SizeCondition {
  return { original: [height, width], crop: [0, 0], target: [height, width] };
}

/**
 * Each number with the sinusoids of the timesteps, in the order original, crop, target.
 * @param dim channels of one number, even
 * @returns `[6 · dim]`
 */
export function sizeEmbedding({ original, crop, target }: SizeCondition, dim: number): Float32Array {
  const result = new Float32Array(sizesWidth(dim));
  [...original, ...crop, ...target].forEach((value, index) =>
    result.set(timestepEmbedding(value, dim), index * dim),
  );
  return result;
}
