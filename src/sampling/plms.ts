import { weightedSum } from "./steps";
import type { Sampler } from "./types";
import { ddimStep, noiseEstimate, onUnitVariance, runUnitVarianceSteps } from "./variancePreserving";

/** Adams-Bashforth weights for the newest estimate first, by how many there are. */
const WEIGHTS = [
  [],
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
] as const;

/** Pseudo linear multistep (Liu et al. 2022) on variance-preserving latents; the first step is an improved Euler one. */
export const plms: Sampler = (model, z, sigmas, _options, callback) => {
  const estimates: Float32Array[] = []; // newest first
  return runUnitVarianceSteps(model, z, sigmas, callback, async ({ x, denoised, sigma, sigmaNext, step }) => {
    const epsilon = noiseEstimate(x, denoised, sigma);
    estimates.unshift(epsilon);
    estimates.splice(4);
    if (step > 0) {
      const weights = WEIGHTS[estimates.length] ?? [];
      const blend = weightedSum(...estimates.map((e, i): [number, Float32Array] => [weights[i] ?? 0, e]));
      return ddimStep(x, blend, sigma, sigmaNext);
    }
    const trial = ddimStep(x, epsilon, sigma, sigmaNext);
    const next = noiseEstimate(trial, await onUnitVariance(model)(trial, sigmaNext), sigmaNext);
    return ddimStep(x, weightedSum([0.5, epsilon], [0.5, next]), sigma, sigmaNext);
  });
};
