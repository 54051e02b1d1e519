/** Where the bucket is cut out of the resized picture. */
import type { Size } from "./buckets";

/** A point of the picture to keep in view, in shares of its width and height. */
export interface CropPoint {
  x: number;
  y: number;
}

export const centre: CropPoint = { x: 0.5, y: 0.5 };

/**
 * Left and top of the crop: the point in its middle as far as the borders allow. The picture's own middle gives the trainer's
 * crop, whose halves go to the left and the top.
 */
export function cropOffset(
  resized: Size,
  bucket: Size,
  { x, y }: CropPoint = centre,
): [x: number, y: number] {
  const offset = (side: 0 | 1, share: number): number => {
    const slack = resized[side] - bucket[side];
    return Math.max(0, Math.min(slack, Math.floor(share * resized[side] - bucket[side] / 2)));
  };
  return [offset(0, x), offset(1, y)];
}

/** The cut-out in shares of the picture: what is trained of it. */
export function cropShares(
  resized: Size,
  bucket: Size,
  point?: CropPoint,
): { x: number; y: number; width: number; height: number } {
  const [x, y] = cropOffset(resized, bucket, point);
  return {
    x: x / resized[0],
    y: y / resized[1],
    width: Math.min(1, bucket[0] / resized[0]),
    height: Math.min(1, bucket[1] / resized[1]),
  };
}

/**
 * The crop box [left, top, right, bottom] that SDXL is told about. Not the crop above: it is where a picture of the
 * original's ratio would sit inside the bucket.
 */
export function conditioningCrop(
  [width, height]: Size,
  [bucketWidth, bucketHeight]: Size,
): [number, number, number, number] {
  const ratio = width / height;
  const wider = bucketWidth / bucketHeight > ratio;
  const innerWidth = wider ? bucketHeight * ratio : bucketWidth;
  const innerHeight = wider ? bucketHeight : bucketWidth / ratio;
  const left = Math.floor((bucketWidth - innerWidth) / 2);
  const top = Math.floor((bucketHeight - innerHeight) / 2);
  return [left, top, left + innerWidth, top + innerHeight];
}
