/** How pictures are cut at a resolution, for showing it. */
import { assignBucket, bucketsFor, bucketSizes, type BucketAssignment, type Size } from "../dataset/buckets";
import { cropShares, type CropPoint } from "../dataset/crop";

export { centre, type CropPoint } from "../dataset/crop";

export interface CutView extends BucketAssignment {
  /** What is kept, in shares of the picture. */
  kept: { x: number; y: number; width: number; height: number };
  /** Above 1 the picture is enlarged. */
  scale: number;
}

export function cutView([width, height]: Size, resolution: number, crop?: CropPoint): CutView {
  const assignment = assignBucket([width, height], bucketsFor(resolution));
  const { bucket, resized } = assignment;
  const scale = Math.max(resized[0] / width, resized[1] / height);
  return { ...assignment, kept: cropShares(resized, bucket, crop), scale };
}

export interface BucketCount {
  bucket: Size;
  pictures: number;
  /** Views per epoch: pictures times their repeats. */
  views: number;
}

/** Most used first. */
export function bucketCounts(
  images: readonly { width: number; height: number; repeats: number }[],
  resolution: number,
): BucketCount[] {
  const settings = bucketsFor(resolution);
  const sizes = bucketSizes(settings);
  const counts = new Map<string, BucketCount>();
  /** Cameras make one size: ten thousand photographs have a few dozen. */
  const bySize = new Map<number, BucketCount>();
  for (const { width, height, repeats } of images) {
    const size = width * 2 ** 20 + height;
    let count = bySize.get(size);
    if (!count) {
      const { bucket } = assignBucket([width, height], settings, sizes);
      const key = bucket.join("×");
      count = counts.get(key) ?? { bucket, pictures: 0, views: 0 };
      counts.set(key, count);
      bySize.set(size, count);
    }
    count.pictures++;
    count.views += repeats;
  }
  return [...counts.values()].sort((a, b) => b.views - a.views);
}

/** Sizes to train at: the model's own, and kohya's usual ones. */
export function resolutions(nativeSize: number): number[] {
  const usual = [256, 320, 384, 448, 512, 576, 640, 768, 896, 1024];
  return [...new Set([nativeSize, ...usual])].sort((a, b) => a - b);
}
