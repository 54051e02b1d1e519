import { ancestralStep, addScaledNoise, eulerStep, runSteps, slope, weightedSum } from "./steps";
import type { StepInput } from "./steps";
import type { DenoiseModel, Sampler } from "./types";

/** One midpoint step to `target`, the middle taken in ln σ. */
async function midpointStep(model: DenoiseModel, s: StepInput, target: number): Promise<Float32Array> {
  const middle = Math.sqrt(s.sigma * target);
  const atMiddle = eulerStep(s.x, s.denoised, s.sigma, middle);
  const slopeMiddle = slope(atMiddle, await model(atMiddle, middle), middle);
  return weightedSum([1, s.x], [target - s.sigma, slopeMiddle]);
}

/** DPM-Solver-2-like midpoint steps (Karras et al. 2022, algorithm 2 with the midpoint in ln σ). */
export const dpm2: Sampler = (model, start, sigmas, _options, callback) =>
  runSteps(model, start, sigmas, callback, (s) =>
    s.sigmaNext === 0 ? eulerStep(s.x, s.denoised, s.sigma, 0) : midpointStep(model, s, s.sigmaNext),
  );

/** `dpm2` down to less noise than wanted, then fresh noise. */
export const dpm2Ancestral: Sampler = (model, start, sigmas, { noise, eta = 1 }, callback) =>
  runSteps(model, start, sigmas, callback, async (s) => {
    const { down, up } = ancestralStep(s.sigma, s.sigmaNext, eta);
    if (down === 0) return eulerStep(s.x, s.denoised, s.sigma, 0);
    return addScaledNoise(await midpointStep(model, s, down), noise(s.sigma, s.sigmaNext), up);
  });
