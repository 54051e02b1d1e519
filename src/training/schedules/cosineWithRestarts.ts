import type { LrSchedule } from "./types";
import { cosineFall, progress, withWarmup } from "./warmup";

/** `numCycles` cosine falls, each starting again at the base rate (Loshchilov & Hutter 2017). */
export const cosineWithRestarts: LrSchedule = withWarmup((step, options) => {
  const done = progress(step, options);
  return done >= 1 ? 0 : cosineFall(((options.numCycles ?? 1) * done) % 1);
});
