import type { LrSchedule } from "./types";
import { cosineFall, progress, withWarmup } from "./warmup";

/** A cosine fall that ends at `minLrRatio` of the base rate. */
export const cosineWithMinLr: LrSchedule = withWarmup((step, options) => {
  const floor = options.minLrRatio ?? 0;
  const fall = cosineFall((options.numCycles ?? 1) * progress(step, options));
  return Math.max(0, fall * (1 - floor) + floor);
});
