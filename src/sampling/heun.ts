import { eulerStep, runSteps, slope, weightedSum } from "./steps";
import type { Sampler } from "./types";

/** Heun's second-order steps (Karras et al. 2022, algorithm 1): the mean of the slopes at both ends. */
export const heun: Sampler = (model, start, sigmas, _options, callback) =>
  runSteps(model, start, sigmas, callback, async ({ x, denoised, sigma, sigmaNext }) => {
    const euler = eulerStep(x, denoised, sigma, sigmaNext);
    if (sigmaNext === 0) return euler;
    const slopeNext = slope(euler, await model(euler, sigmaNext), sigmaNext);
    const half = (sigmaNext - sigma) / 2;
    return weightedSum([1, x], [half, slope(x, denoised, sigma)], [half, slopeNext]);
  });
