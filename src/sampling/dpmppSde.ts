import { addScaledNoise, ancestralStep, eulerStep, runSteps } from "./steps";
import type { Sampler } from "./types";

/** DPM-Solver++ (stochastic), second order with r = ½ (Lu et al. 2022). Brownian noise, twice per step. */
export const dpmppSde: Sampler = (model, start, sigmas, { noise, eta = 1 }, callback) =>
  runSteps(model, start, sigmas, callback, async ({ x, denoised, sigma, sigmaNext }) => {
    if (sigmaNext === 0) return eulerStep(x, denoised, sigma, 0);
    const towards = (estimate: Float32Array, target: number) => {
      const { down, up } = ancestralStep(sigma, target, eta);
      return addScaledNoise(eulerStep(x, estimate, sigma, down), noise(sigma, target), up);
    };
    const middle = Math.sqrt(sigma * sigmaNext);
    const atMiddle = towards(denoised, middle);
    return towards(await model(atMiddle, middle), sigmaNext);
  });
