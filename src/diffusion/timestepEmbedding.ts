/**
 * The sinusoidal embedding of a number, for timesteps and for SDXL's sizes:
 * [cos(t ω_0) … cos(t ω_{h−1}), sin(t ω_0) … sin(t ω_{h−1})], ω_k = 10000^(−k/h), h = dim / 2.
 */

const MAX_PERIOD = 10000;

/** @param dim even. @returns [dim]. */
export function timestepEmbedding(t: number, dim: number): Float32Array {
  const half = dim / 2;
  const out = new Float32Array(dim);
  for (let k = 0; k < half; k++) {
    const angle = t * MAX_PERIOD ** (-k / half);
    out[k] = Math.cos(angle);
    out[half + k] = Math.sin(angle);
  }
  return out;
}
