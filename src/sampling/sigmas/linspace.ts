/** `count` equally spaced numbers from `start` to `end` inclusive; `[start]` when `count` is 1. */
export function linspace(start: number, end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    i === 0 ? start : start + ((end - start) * i) / (count - 1),
  );
}

/** The list a sampler takes: the values and a final 0. */
export function endingInZero(values: readonly number[]): Float32Array {
  return Float32Array.of(...values, 0);
}
