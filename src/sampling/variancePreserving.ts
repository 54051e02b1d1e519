/**
 * For samplers written on variance-preserving latents z = √ᾱ x_0 + √(1−ᾱ) ε. With σ = √((1−ᾱ)/ᾱ):
 * √ᾱ = 1/√(σ²+1), √(1−ᾱ) = σ/√(σ²+1), and x = z/√ᾱ is what D(x; σ) takes.
 */
import { runSteps, weightedSum } from "./steps";
import type { DenoiseModel, SamplerCallback } from "./types";

/** √ᾱ, the weight of the clean image. */
export function signalOf(sigma: number): number {
  return 1 / Math.sqrt(sigma ** 2 + 1);
}

/** √(1−ᾱ), the weight of the noise. */
export function noiseOf(sigma: number): number {
  return sigma * signalOf(sigma);
}

/** The model on variance-preserving latents. */
export function onUnitVariance(model: DenoiseModel): DenoiseModel {
  return (z, sigma) => model(weightedSum([1 / signalOf(sigma), z]), sigma);
}

/** The noise estimate ε = (z − √ᾱ D) / √(1−ᾱ). */
export function noiseEstimate(z: Float32Array, denoised: Float32Array, sigma: number): Float32Array {
  return weightedSum([1 / noiseOf(sigma), z], [-signalOf(sigma) / noiseOf(sigma), denoised]);
}

/** The deterministic DDIM step along ε: the clean estimate kept, noised to σ'. */
export function ddimStep(
  z: Float32Array,
  epsilon: Float32Array,
  sigma: number,
  sigmaNext: number,
): Float32Array {
  const signal = signalOf(sigmaNext) / signalOf(sigma);
  return weightedSum([signal, z], [noiseOf(sigmaNext) - signal * noiseOf(sigma), epsilon]);
}

export const runUnitVarianceSteps: typeof runSteps = (
  model,
  z,
  sigmas,
  callback: SamplerCallback | undefined,
  advance,
) => runSteps(onUnitVariance(model), z, sigmas, callback, advance);
