import { addScaledNoise, runSteps } from "./steps";
import type { Sampler } from "./types";

/** Consistency sampling (Luo et al. 2023): jump to the estimate, then noise it to the next level. */
export const lcm: Sampler = (model, start, sigmas, { noise }, callback) =>
  runSteps(model, start, sigmas, callback, ({ denoised, sigma, sigmaNext }) =>
    sigmaNext > 0 ? addScaledNoise(denoised, noise(sigma, sigmaNext), sigmaNext) : denoised,
  );
