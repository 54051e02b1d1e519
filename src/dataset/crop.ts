/** Where the bucket is cut out of the resized picture. */
import type { Size } from "./buckets";

/** Left and top of the centred crop; halves go to the left and the top. */
export function centredCrop(resized: Size, bucket: Size): [x: number, y: number] {
  const offset = (side: 0 | 1) => Math.max(0, Math.floor((resized[side] - bucket[side]) / 2));
  return [offset(0), offset(1)];
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
