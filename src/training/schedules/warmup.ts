import type { LrSchedule, LrScheduleOptions } from "./types";

/** Rises linearly from 0 during the warm-up, then follows `after`. */
export function withWarmup(after: LrSchedule): LrSchedule {
  return (step, options) =>
    step < options.warmupSteps ? step / Math.max(1, options.warmupSteps) : after(step, options);
}

/** Share of the steps after the warm-up that are done; above 1 past the end. */
export function progress(step: number, { totalSteps, warmupSteps }: LrScheduleOptions): number {
  return (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
}

/** From 1 down to 0 in half a period per `turns` = 1. */
export function cosineFall(turns: number): number {
  return 0.5 * (1 + Math.cos(Math.PI * turns));
}
