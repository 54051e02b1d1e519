import type { LrSchedule } from "./types";
import { withWarmup } from "./warmup";

/** The base rate after the warm-up. */
export const constantWithWarmup: LrSchedule = withWarmup(() => 1);
