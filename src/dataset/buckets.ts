/**
 * Aspect-ratio buckets, exactly as sd-scripts makes and chooses them. Sizes are [width, height] in pixels.
 */
import { WeftError } from "../base/errors";

export type Size = readonly [width: number, height: number];

export interface BucketSettings {
  resolution: Size;
  /** Shortest and longest bucket side; without effect under `noUpscale`. */
  minSize: number;
  maxSize: number;
  /** Bucket sides are multiples of it: of 64 for SD1 and SD2. */
  step: number;
  /** Never enlarge a picture; buckets are then made from the pictures instead of a list. */
  noUpscale: boolean;
}

export const defaultBucketSettings: Omit<BucketSettings, "resolution"> = {
  minSize: 256,
  maxSize: 1024,
  step: 64,
  noUpscale: false,
};

/**
 * The buckets of a run at `resolution` pixels. Kohya's limits are made for 512 and more; small models get the same
 * proportions.
 */
export function bucketsFor(resolution: number): BucketSettings {
  const limits =
    resolution < 256
      ? { minSize: resolution / 2, maxSize: 2 * resolution, step: 32 }
      : { minSize: 256, maxSize: Math.max(1024, 2 * resolution), step: 64 };
  return { ...limits, resolution: [resolution, resolution], noUpscale: false };
}

export interface BucketAssignment {
  /** What the picture is trained at. */
  bucket: Size;
  /** What the picture is resized to before the bucket is cut out of its middle. */
  resized: Size;
  /** Aspect ratio of the bucket minus that of the picture. */
  aspectError: number;
}

function roundDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

/** The settings as they act: limits moved to multiples of the step. @throws WeftError when they contradict. */
function checked(settings: BucketSettings): BucketSettings {
  const [width, height] = settings.resolution;
  const minSize = roundDown(settings.minSize, settings.step);
  const maxSize = Math.ceil(settings.maxSize / settings.step) * settings.step;
  if (Math.min(width, height) >= minSize && Math.max(width, height) <= maxSize)
    return { ...settings, minSize, maxSize };
  throw new WeftError(
    "bucket-limits",
    `The training size ${width} × ${height} is outside the bucket limits ${minSize} to ${maxSize}.`,
    "Choose a size between the limits, or widen them.",
  );
}

/**
 * The list of buckets, sorted by width, then height. Sides are multiples of the step, areas close below that of the
 * resolution; the square one is there even when outside the limits.
 */
export function bucketSizes(settings: BucketSettings): Size[] {
  const { resolution, minSize, maxSize, step } = checked(settings);
  const area = resolution[0] * resolution[1];
  const square = roundDown(Math.sqrt(area), step);
  const found = new Map<string, Size>();
  const add = (width: number, height: number) => found.set(`${width}x${height}`, [width, height]);
  add(square, square);
  for (let width = minSize; width <= maxSize; width += step) {
    const height = Math.min(maxSize, roundDown(Math.floor(area / width), step));
    if (height < minSize) continue;
    add(width, height);
    add(height, width);
  }
  return [...found.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

/** Rounds halves up, as the trainer does with `int(x + 0.5)`. */
function nearest(value: number): number {
  return Math.floor(value + 0.5);
}

/** The bucket of the nearest ratio; equal distances go to the narrower one. */
function nearestBucket([width, height]: Size, sizes: readonly Size[]): Size {
  const same = sizes.find(([w, h]) => w === width && h === height);
  if (same) return same;
  const distance = ([w, h]: Size) => Math.abs(w / h - width / height);
  return sizes.reduce((best, size) => (distance(size) < distance(best) ? size : best));
}

/** Scales to cover the bucket, never to leave a border. */
function coverBucket([width, height]: Size, bucket: Size): Size {
  const scale = width / height > bucket[0] / bucket[1] ? bucket[1] / height : bucket[0] / width;
  return [nearest(width * scale), nearest(height * scale)];
}

/** The size below the area that keeps the ratio best when one of its sides is a multiple of the step. */
function shrinkToArea(ratio: number, area: number, step: number): Size {
  const idealWidth = Math.sqrt(area * ratio);
  const toStep = (value: number) => roundDown(nearest(value), step);
  const width = toStep(idealWidth);
  const height = toStep(area / idealWidth);
  const byWidth = Math.abs(width / toStep(width / ratio) - ratio);
  const byHeight = Math.abs(toStep(height * ratio) / height - ratio);
  return byWidth < byHeight ? [width, nearest(width / ratio)] : [nearest(height * ratio), height];
}

function withoutUpscale(size: Size, { resolution, step }: BucketSettings): BucketAssignment {
  const area = resolution[0] * resolution[1];
  const ratio = size[0] / size[1];
  const resized = size[0] * size[1] > area ? shrinkToArea(ratio, area, step) : size;
  const bucket: Size = [roundDown(resized[0], step), roundDown(resized[1], step)];
  return { bucket, resized, aspectError: bucket[0] / bucket[1] - ratio };
}

/**
 * Which bucket a picture is trained in.
 * @param sizes `bucketSizes(settings)`, when many pictures are assigned.
 * @throws WeftError when a side comes out shorter than one step (only without upscaling).
 */
export function assignBucket(
  size: Size,
  settings: BucketSettings,
  sizes?: readonly Size[],
): BucketAssignment {
  if (settings.noUpscale) {
    const assignment = withoutUpscale(size, settings);
    if (Math.min(...assignment.bucket) > 0) return assignment;
    throw new WeftError(
      "too-narrow",
      `${size[0]} × ${size[1]} pixels are too narrow to train on without enlarging.`,
      `Allow upscaling, or crop the picture so that both sides have at least ${settings.step} pixels.`,
    );
  }
  const bucket = nearestBucket(size, sizes ?? bucketSizes(settings));
  return {
    bucket,
    resized: coverBucket(size, bucket),
    aspectError: bucket[0] / bucket[1] - size[0] / size[1],
  };
}
