/** What samplers are made of: weighted sums of latents, Euler steps, and the split of a step into down and up. */
import type { DenoiseModel, SamplerCallback } from "./types";

/** Σ weight · term, elementwise, in double precision, into a new array. */
export function weightedSum(...terms: readonly [weight: number, term: Float32Array][]): Float32Array {
  const out = new Float32Array(terms[0]?.[1].length ?? 0);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (const [weight, term] of terms) sum += weight * (term[i] ?? 0);
    out[i] = sum;
  }
  return out;
}

/** dx/dσ = (x − D) / σ of the probability-flow equation. */
export function slope(x: Float32Array, denoised: Float32Array, sigma: number): Float32Array {
  return weightedSum([1 / sigma, x], [-1 / sigma, denoised]);
}

/** One Euler step: keeps the noise direction and shrinks it from σ to σ'. */
export function eulerStep(
  x: Float32Array,
  denoised: Float32Array,
  sigma: number,
  sigmaNext: number,
): Float32Array {
  const ratio = sigmaNext / sigma;
  return weightedSum([ratio, x], [1 - ratio, denoised]);
}

/**
 * Splits the step σ → σ' into going down to `down` and adding fresh noise of deviation `up` (η = 1: as much as the
 * variance allows; η = 0: none).
 */
export function ancestralStep(sigma: number, sigmaNext: number, eta: number): { down: number; up: number } {
  const most = Math.sqrt((sigmaNext ** 2 * (sigma ** 2 - sigmaNext ** 2)) / sigma ** 2);
  const up = Math.min(sigmaNext, eta * most);
  return { down: Math.sqrt(sigmaNext ** 2 - up ** 2), up };
}

export function addScaledNoise(x: Float32Array, noise: Float32Array, scale: number): Float32Array {
  return weightedSum([1, x], [scale, noise]);
}

/** What a sampler's step function sees. */
export interface StepInput {
  x: Float32Array;
  denoised: Float32Array;
  sigma: number;
  sigmaNext: number;
  step: number;
}

/**
 * The loop all samplers share: call the model, tell the callback, take the step.
 * @param advance x after the step.
 */
export async function runSteps(
  model: DenoiseModel,
  start: Float32Array,
  sigmas: Float32Array,
  callback: SamplerCallback | undefined,
  advance: (input: StepInput) => Float32Array | Promise<Float32Array>,
): Promise<Float32Array> {
  let x = start;
  for (let step = 0; step + 1 < sigmas.length; step++) {
    const [sigma = 0, sigmaNext = 0] = sigmas.subarray(step, step + 2);
    const denoised = await model(x, sigma);
    await callback?.({ step, sigma, x, denoised });
    x = await advance({ x, denoised, sigma, sigmaNext, step });
  }
  return x;
}
