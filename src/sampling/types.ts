/** The shape every sampler has. Samplers know no network, no prompt and no GPU: only D(x; σ). */

/**
 * The denoised estimate D(x; σ) of x = x_0 + σ ε, guidance included.
 * @param x latents, any shape, flattened. Must not be kept or changed.
 */
export type DenoiseModel = (x: Float32Array, sigma: number) => Promise<Float32Array>;

export interface SamplerStep {
  /** 0-based. */
  step: number;
  sigma: number;
  /** Latents before the step. */
  x: Float32Array;
  denoised: Float32Array;
}

/** Called once per step after the first model call. Throwing (or rejecting) from it stops the sampler. */
export type SamplerCallback = (step: SamplerStep) => void | Promise<void>;

export interface SamplerOptions {
  /**
   * Unit normals of the latents' size for the step from σ to σ'. Ancestral samplers may be given any stream;
   * Brownian ones need normalised increments of one path (`brownianNoise`).
   */
  noise: (sigma: number, sigmaNext: number) => Float32Array;
  /** Amount of noise added per step; each sampler's own default when unset. */
  eta?: number;
}

/**
 * Runs all steps, one per neighbouring pair of `sigmas`.
 * @param start initial latents: noise · σ_0, or unit noise for samplers whose meta says `start: "unit"`.
 * @param sigmas descending.
 * @returns the final latents; the arrays passed in are left alone.
 */
export type Sampler = (
  model: DenoiseModel,
  start: Float32Array,
  sigmas: Float32Array,
  options: SamplerOptions,
  callback?: SamplerCallback,
) => Promise<Float32Array>;
