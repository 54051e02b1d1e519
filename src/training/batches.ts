/**
 * Which pictures a step sees. A pure function of the seed and the epoch, so a resumed run continues in the middle of an
 * epoch with the same pictures.
 */
import { counterUniform, randomStream } from "../base/random/counter";

export interface BatchItem {
  /** Index into the run's list of pictures. */
  readonly index: number;
  /** Pictures in a batch share this (their latents have one shape). */
  readonly bucket: string;
  readonly repeats: number;
}

/** Steps of one epoch: each bucket's pictures (times repeats) cut into batches. */
export function stepsPerEpoch(items: readonly BatchItem[], batchSize: number): number {
  return [...bucketed(items).values()].reduce(
    (total, members) => total + Math.ceil(members.length / batchSize),
    0,
  );
}

/**
 * The batches of one epoch: each bucket shuffled and cut, then the batches shuffled. A bucket whose last batch is short
 * fills it up with pictures from its own beginning, so that every step has the same shape.
 * @returns indices of pictures, one list per step
 */
export function epochBatches(
  items: readonly BatchItem[],
  batchSize: number,
  seed: number,
  epoch: number,
): number[][] {
  const draw = { position: 0 };
  const batches: number[][] = [];
  for (const members of bucketed(items).values()) {
    const order = shuffled(members, seed, epoch, draw);
    for (let begin = 0; begin < order.length; begin += batchSize) {
      batches.push(Array.from({ length: batchSize }, (_, i) => order[(begin + i) % order.length] ?? 0));
    }
  }
  return shuffled(batches, seed, epoch, draw);
}

function bucketed(items: readonly BatchItem[]): Map<string, number[]> {
  const buckets = new Map<string, number[]>();
  for (const { index, bucket, repeats } of items) {
    const members = buckets.get(bucket) ?? [];
    for (let i = 0; i < repeats; i++) members.push(index);
    buckets.set(bucket, members);
  }
  return buckets;
}

/** Fisher–Yates over the counter stream of this epoch. */
function shuffled<T>(values: readonly T[], seed: number, epoch: number, draw: { position: number }): T[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(counterUniform(seed, epoch, randomStream.shuffle, draw.position++) * (i + 1));
    const [a, b] = [result[i], result[j]];
    if (a !== undefined && b !== undefined) [result[i], result[j]] = [b, a];
  }
  return result;
}
