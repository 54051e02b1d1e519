import type { LrSchedule } from "./types";
import { progress, withWarmup } from "./warmup";

/** A straight line to 0 at the last step. */
export const linear: LrSchedule = withWarmup((step, options) => Math.max(0, 1 - progress(step, options)));
