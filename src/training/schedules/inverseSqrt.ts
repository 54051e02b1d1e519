import type { LrSchedule } from "./types";
import { withWarmup } from "./warmup";

const DEFAULT_TIMESCALE = 10_000;

/** Falls as 1/√step after the warm-up (Vaswani et al. 2017). */
export const inverseSqrt: LrSchedule = withWarmup((step, { warmupSteps, timescale }) => {
  const scale = timescale ?? (warmupSteps || DEFAULT_TIMESCALE);
  return 1 / Math.sqrt((step + scale - warmupSteps) / scale);
});
