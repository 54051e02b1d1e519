import { runSteps, weightedSum } from "./steps";
import type { Sampler } from "./types";

/**
 * SDE-DPM-Solver++(2M), multistep (Lu et al. 2022). Brownian noise.
 * @param correction weight of the second-order term for the total step −h(1+η).
 */
function dpmpp2mSdeWith(correction: (total: number) => number): Sampler {
  return (model, start, sigmas, { noise, eta = 1 }, callback) => {
    let previous: { denoised: Float32Array; h: number } | undefined;
    return runSteps(model, start, sigmas, callback, ({ x, denoised, sigma, sigmaNext }) => {
      if (sigmaNext === 0) return denoised;
      const h = Math.log(sigma / sigmaNext);
      const total = -h * (1 + eta);
      const second = previous ? (correction(total) * h) / previous.h : 0;
      const old = previous?.denoised ?? denoised;
      previous = { denoised, h };
      return weightedSum(
        [(sigmaNext / sigma) * Math.exp(-h * eta), x],
        [-Math.expm1(total) + second, denoised],
        [-second, old],
        [sigmaNext * Math.sqrt(-Math.expm1(-2 * h * eta)), noise(sigma, sigmaNext)],
      );
    });
  };
}

export const dpmpp2mSde: Sampler = dpmpp2mSdeWith((total) => -Math.expm1(total) / 2);

/** The variant named "Heun": the second-order term integrated exactly. */
export const dpmpp2mSdeHeun: Sampler = dpmpp2mSdeWith((total) => -Math.expm1(total) / total + 1);
