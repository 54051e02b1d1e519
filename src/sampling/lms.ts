import { runSteps, slope, weightedSum } from "./steps";
import type { Sampler } from "./types";

const ORDER = 4;

/**
 * ∫ from σ_i to σ_{i+1} of the Lagrange polynomial that is 1 at σ_{i−j} and 0 at the other of the last `order` levels.
 * Two-point Gauss-Legendre is exact for it (degree ≤ 3).
 */
function coefficient(sigmas: Float32Array, i: number, j: number, order: number): number {
  const at = (k: number) => sigmas[i - k] ?? 0;
  const lagrange = (tau: number) => {
    let product = 1;
    for (let k = 0; k < order; k++) if (k !== j) product *= (tau - at(k)) / (at(j) - at(k));
    return product;
  };
  const middle = (at(0) + at(-1)) / 2;
  const half = (at(-1) - at(0)) / 2;
  return half * (lagrange(middle - half / Math.sqrt(3)) + lagrange(middle + half / Math.sqrt(3)));
}

/** Linear multistep (Adams-Bashforth on uneven steps) of order 4. */
export const lms: Sampler = (model, start, sigmas, _options, callback) => {
  const slopes: Float32Array[] = []; // newest first
  return runSteps(model, start, sigmas, callback, ({ x, denoised, sigma, step }) => {
    slopes.unshift(slope(x, denoised, sigma));
    slopes.splice(ORDER);
    const terms = slopes.map((d, j): [number, Float32Array] => [
      coefficient(sigmas, step, j, slopes.length),
      d,
    ]);
    return weightedSum([1, x], ...terms);
  });
};
