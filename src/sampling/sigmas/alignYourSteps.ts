/** Align Your Steps (Sabour et al. 2024): published noise levels for 10 steps, resampled to other counts. */
import { endingInZero, linspace } from "./linspace";
import type { SigmaSchedule } from "./types";

const sd1Levels = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029];
const sdxlLevels = [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.38, 0.234, 0.113, 0.029];

/** Linear interpolation in ln σ to `count` values, ends kept. */
function resample(levels: readonly number[], count: number): number[] {
  const logs = levels.map(Math.log);
  return linspace(0, levels.length - 1, count).map((at) => {
    const low = Math.min(Math.floor(at), levels.length - 2);
    const [a = 0, b = 0] = logs.slice(low, low + 2);
    return Math.exp(a + (at - low) * (b - a));
  });
}

export const alignYourSteps: SigmaSchedule = (steps) => endingInZero(resample(sd1Levels, steps));
export const alignYourStepsXl: SigmaSchedule = (steps) => endingInZero(resample(sdxlLevels, steps));
