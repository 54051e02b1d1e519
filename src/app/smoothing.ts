/** The thick line of the loss chart, and its course in words. */

/** Share of the old value kept per step; 0.95 looks back over about 20 steps. */
const keep = 0.95;

/** Exponential moving average without the bias towards the start (as Adam corrects its moments). */
export function smooth(values: readonly number[]): number[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/** "falling", "steady" or "rising", from the last third of a smoothed curve. */
export function trendWords(smoothed: readonly number[]): string {
  const last = smoothed.at(-1);
  const earlier = smoothed[Math.floor((smoothed.length * 2) / 3)];
  if (last === undefined || earlier === undefined) return "steady";
  const change = (last - earlier) / Math.max(Math.abs(earlier), Number.EPSILON);
  if (Math.abs(change) < 0.02) return "steady";
  return change < 0 ? "falling" : "rising";
}
