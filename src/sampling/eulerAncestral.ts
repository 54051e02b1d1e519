import { addScaledNoise, ancestralStep, eulerStep, runSteps } from "./steps";
import type { Sampler } from "./types";

/** Euler down to less noise than wanted, then fresh noise up to it. */
export const eulerAncestral: Sampler = (model, start, sigmas, { noise, eta = 1 }, callback) =>
  runSteps(model, start, sigmas, callback, ({ x, denoised, sigma, sigmaNext }) => {
    const { down, up } = ancestralStep(sigma, sigmaNext, eta);
    const lower = eulerStep(x, denoised, sigma, down);
    return sigmaNext > 0 ? addScaledNoise(lower, noise(sigma, sigmaNext), up) : lower;
  });
