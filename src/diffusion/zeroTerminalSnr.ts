/**
 * Rescales a schedule so that the last step is pure noise (Lin et al. 2023, "Common Diffusion Noise Schedules and
 * Sample Steps are Flawed", algorithm 1). Only sensible for v-prediction.
 */
import { cumulativeAlphas } from "./noiseSchedule";

/** @returns rescaled betas, float32; the last one is 1. */
export function zeroTerminalSnrBetas(beta: Float32Array): Float32Array {
  const roots = cumulativeAlphas(beta).map(Math.sqrt);
  const [first = 1, last = 0] = [roots[0], roots.at(-1)];
  const rescaled = roots.map((root) => ((root - last) * first) / (first - last)).map((root) => root * root);
  return rescaled.map((alpha, t) => 1 - (t === 0 ? alpha : alpha / (rescaled[t - 1] ?? 1)));
}
