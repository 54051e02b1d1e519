import { runSteps, weightedSum } from "./steps";
import type { Sampler } from "./types";

type Term = [weight: number, term: Float32Array];

interface Past {
  denoised: Float32Array;
  h: number;
}

/** The second- and third-order terms for a step of total length H = h(1+η), from up to two earlier estimates. */
function corrections(denoised: Float32Array, h: number, total: number, [one, two]: readonly Past[]): Term[] {
  if (!one) return [];
  const phi2 = Math.expm1(-total) / total + 1;
  const r0 = one.h / h;
  if (!two)
    return [
      [phi2 / r0, denoised],
      [-phi2 / r0, one.denoised],
    ];
  const phi3 = phi2 / total - 0.5;
  const r1 = two.h / h;
  // d1 = a + (a − b) r0/(r0+r1), d2 = (a − b)/(r0+r1) with a = (D − D1)/r0, b = (D1 − D2)/r1
  const ofA = phi2 * (1 + r0 / (r0 + r1)) - phi3 / (r0 + r1);
  const ofB = (phi3 - phi2 * r0) / (r0 + r1);
  return [
    [ofA / r0, denoised],
    [ofB / r1 - ofA / r0, one.denoised],
    [-ofB / r1, two.denoised],
  ];
}

/** SDE-DPM-Solver++(3M), multistep (after Lu et al. 2022). Brownian noise. */
export const dpmpp3mSde: Sampler = (model, start, sigmas, { noise, eta = 1 }, callback) => {
  let past: Past[] = []; // newest first
  return runSteps(model, start, sigmas, callback, ({ x, denoised, sigma, sigmaNext }) => {
    if (sigmaNext === 0) return denoised;
    const h = Math.log(sigma / sigmaNext);
    const total = h * (1 + eta);
    const higher = corrections(denoised, h, total, past);
    past = [{ denoised, h }, ...past].slice(0, 2);
    return weightedSum([Math.exp(-total), x], [-Math.expm1(-total), denoised], ...higher, [
      sigmaNext * Math.sqrt(-Math.expm1(-2 * h * eta)),
      noise(sigma, sigmaNext),
    ]);
  });
};
