import type { LrSchedule } from "./types";
import { progress, withWarmup } from "./warmup";

/** Where the reference's polynomial ends: an absolute rate, whatever the base rate. */
const END_LR = 1e-7;

/** (1 − p)^power from the base rate to 1e-7. */
export const polynomial: LrSchedule = withWarmup((step, options) => {
  const left = Math.max(0, 1 - progress(step, options));
  return ((options.lr - END_LR) * left ** (options.power ?? 1) + END_LR) / options.lr;
});
