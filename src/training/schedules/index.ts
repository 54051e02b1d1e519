/** Every learning-rate schedule by name. */
import { constant } from "./constant";
import { constantWithWarmup } from "./constantWithWarmup";
import { cosine } from "./cosine";
import { cosineWithMinLr } from "./cosineWithMinLr";
import { cosineWithRestarts } from "./cosineWithRestarts";
import { inverseSqrt } from "./inverseSqrt";
import { linear } from "./linear";
import type { LrScheduleName } from "./meta";
import { polynomial } from "./polynomial";
import type { LrSchedule, LrScheduleOptions } from "./types";
import { warmupStableDecay } from "./warmupStableDecay";

export const lrSchedules: Record<LrScheduleName, LrSchedule> = {
  constant,
  constant_with_warmup: constantWithWarmup,
  linear,
  cosine,
  cosine_with_restarts: cosineWithRestarts,
  cosine_with_min_lr: cosineWithMinLr,
  polynomial,
  inverse_sqrt: inverseSqrt,
  warmup_stable_decay: warmupStableDecay,
};

/** The learning rate of the optimizer step with this 0-based index. */
export function learningRateAt(name: LrScheduleName, step: number, options: LrScheduleOptions): number {
  return options.lr * lrSchedules[name](step, options);
}
