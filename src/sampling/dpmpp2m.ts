import { eulerStep, runSteps, weightedSum } from "./steps";
import type { Sampler } from "./types";

/** DPM-Solver++(2M), multistep, deterministic (Lu et al. 2022): an Euler step along an extrapolated estimate. */
export const dpmpp2m: Sampler = (model, start, sigmas, _options, callback) => {
  let previous: { denoised: Float32Array; h: number } | undefined;
  return runSteps(model, start, sigmas, callback, ({ x, denoised, sigma, sigmaNext }) => {
    const h = Math.log(sigma / sigmaNext); // step in t = −ln σ; infinite at σ' = 0, where it is not used
    const old = previous;
    previous = { denoised, h };
    if (!old || sigmaNext === 0) return eulerStep(x, denoised, sigma, sigmaNext);
    const overshoot = h / old.h / 2; // 1 / 2r
    return eulerStep(x, weightedSum([1 + overshoot, denoised], [-overshoot, old.denoised]), sigma, sigmaNext);
  });
};
