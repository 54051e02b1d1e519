import { weightedSum } from "./steps";
import type { Sampler } from "./types";
import { ddimStep, noiseEstimate, noiseOf, runUnitVarianceSteps, signalOf } from "./variancePreserving";

/**
 * DDIM (Song et al. 2021) on variance-preserving latents: unit noise in, and out at the last σ of the list, which is
 * not 0. η adds noise as DDPM would at η = 1; 0 by default.
 */
export const ddim: Sampler = (model, z, sigmas, { noise, eta = 0 }, callback) =>
  runUnitVarianceSteps(model, z, sigmas, callback, ({ x, denoised, sigma, sigmaNext }) => {
    const epsilon = noiseEstimate(x, denoised, sigma);
    if (eta === 0) return ddimStep(x, epsilon, sigma, sigmaNext);
    const shrink = signalOf(sigma) / signalOf(sigmaNext);
    const fresh = eta * (noiseOf(sigmaNext) / noiseOf(sigma)) * Math.sqrt(1 - shrink ** 2);
    const kept = Math.sqrt(noiseOf(sigmaNext) ** 2 - fresh ** 2);
    return weightedSum([signalOf(sigmaNext), denoised], [kept, epsilon], [fresh, noise(sigma, sigmaNext)]);
  });
