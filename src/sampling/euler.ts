import { eulerStep, runSteps } from "./steps";
import type { Sampler } from "./types";

/** Euler steps of the probability-flow equation (Karras et al. 2022, algorithm 2 without churn). */
export const euler: Sampler = (model, start, sigmas, _options, callback) =>
  runSteps(model, start, sigmas, callback, (s) => eulerStep(s.x, s.denoised, s.sigma, s.sigmaNext));
