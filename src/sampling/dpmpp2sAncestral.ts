import { addScaledNoise, ancestralStep, eulerStep, runSteps } from "./steps";
import type { Sampler } from "./types";

/** DPM-Solver++(2S) with ancestral noise (Lu et al. 2022). */
export const dpmpp2sAncestral: Sampler = (model, start, sigmas, { noise, eta = 1 }, callback) =>
  runSteps(model, start, sigmas, callback, async ({ x, denoised, sigma, sigmaNext }) => {
    const { down, up } = ancestralStep(sigma, sigmaNext, eta);
    if (down === 0) return eulerStep(x, denoised, sigma, 0);
    const middle = Math.sqrt(sigma * down);
    const atMiddle = eulerStep(x, denoised, sigma, middle);
    const lower = eulerStep(x, await model(atMiddle, middle), sigma, down);
    return addScaledNoise(lower, noise(sigma, sigmaNext), up);
  });
