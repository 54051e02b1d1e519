/**
 * Noise levels as samplers count them: σ = √((1 − ᾱ) / ᾱ), the noise's standard deviation over a clean image of unit
 * scale, and the conversion to and from (fractional) timesteps by interpolation in ln σ.
 *
 * All of it in float32, as the web UI has it: the timestep a picture's model calls get depends on it.
 */
import { exactAlphasCumprod } from "./noiseSchedule";

const f = Math.fround;

export interface SigmaTable {
  /** Ascending, one per training timestep. */
  readonly sigmas: Float32Array;
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** The fractional timestep of a σ, clamped to the table. */
  sigmaToT(sigma: number): number;
  /** σ of a fractional timestep in [0, 999]. */
  tToSigma(t: number): number;
}

/** Index of the last entry ≤ value, at least 0 and at most length − 2. */
function lowerIndex(ascending: Float32Array, value: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** @param alphas ᾱ per timestep; the checkpoint's own by default. */
export function createSigmaTable(alphas: ArrayLike<number> = exactAlphasCumprod()): SigmaTable {
  const sigmas = Float32Array.from(alphas, (a) => Math.sqrt(f(f(1 - f(a)) / f(a))));
  const logs = sigmas.map(Math.log);
  const logAt = (index: number) => logs[index] ?? 0;
  return {
    sigmas,
    sigmaMin: sigmas[0] ?? 0,
    sigmaMax: sigmas.at(-1) ?? 0,
    sigmaToT(sigma) {
      const log = f(Math.log(f(sigma)));
      const low = lowerIndex(logs, log);
      const weight = f(f(logAt(low) - log) / f(logAt(low) - logAt(low + 1)));
      const clamped = Math.min(Math.max(weight, 0), 1);
      return f(f(f(1 - clamped) * low) + f(clamped * (low + 1)));
    },
    tToSigma(t) {
      const [low, high] = [Math.floor(t), Math.ceil(t)];
      const weight = f(t - low);
      return f(Math.exp(f(f(f(1 - weight) * logAt(low)) + f(weight * logAt(high)))));
    },
  };
}
