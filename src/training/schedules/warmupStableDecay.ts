import type { LrSchedule } from "./types";
import { cosineFall } from "./warmup";

/** Warm-up, a plateau at the base rate, then a cosine fall over the last `decaySteps` (Hu et al. 2024). */
export const warmupStableDecay: LrSchedule = (step, options) => {
  const { totalSteps, warmupSteps, decaySteps = 0, minLrRatio: floor = 0, numCycles = 1 } = options;
  const aboveFloor = (share: number) => share * (1 - floor) + floor;
  const decayed = step - (totalSteps - decaySteps);
  if (step < warmupSteps) return aboveFloor(step / Math.max(1, warmupSteps));
  if (decayed < 0) return 1;
  return decayed < decaySteps ? aboveFloor(cosineFall((numCycles * decayed) / decaySteps)) : floor;
};
