/**
 * UniPC (Zhao et al. 2023), order 3, B(h) = h ("bh1"), predicting x_0, on variance-preserving latents: unit noise in, and
 * out at the last σ of the list.
 *
 * Each new estimate first corrects the step that led to it, then predicts the next step, so there is one model call
 * per step.
 */
import { linearSolve } from "./linearSolve";
import { weightedSum } from "./steps";
import type { Sampler } from "./types";
import { noiseOf, runUnitVarianceSteps, signalOf } from "./variancePreserving";

const ORDER = 3;

interface Estimate {
  lambda: number;
  denoised: Float32Array;
}

/** One step of the multistep solver, which a predictor and a corrector both complete. */
interface Step {
  x: Float32Array;
  sigma: number;
  sigmaNext: number;
  /** Estimates up to the step's start, newest first; as many as the order. */
  known: readonly Estimate[];
}

/** Where the earlier estimates lie, in units of the step h = λ' − λ. */
function ratios({ sigma, sigmaNext, known }: Step): number[] {
  const h = Math.log(sigma / sigmaNext);
  return known.slice(1).map((e) => (e.lambda + Math.log(sigma)) / h);
}

/** Weights of the difference quotients at the points `at`: rows are the powers 0, 1, … of the points. */
function quotientWeights(at: readonly number[], hh: number): number[] {
  const rows = at.map((_, power) => at.map((r) => r ** power));
  let phi = Math.expm1(hh) / hh - 1;
  let factorial = 1;
  const right = at.map((_, i) => {
    const value = (phi * factorial) / hh;
    factorial *= i + 2;
    phi = phi / hh - 1 / factorial;
    return value;
  });
  return linearSolve(rows, right);
}

/** x at σ' from the first-order part and weighted difference quotients (m_i − m_0) / r_i. */
function advance(
  step: Step,
  at: readonly number[],
  weights: readonly number[],
  others: Float32Array[],
): Float32Array {
  const { x, sigma, sigmaNext, known } = step;
  const hh = -Math.log(sigma / sigmaNext);
  const newest = known[0]?.denoised ?? x;
  const scale = -signalOf(sigmaNext) * hh;
  const terms = others.map((m, i): [number, Float32Array] => [(scale * (weights[i] ?? 0)) / (at[i] ?? 1), m]);
  const taken = terms.reduce((sum, [weight]) => sum + weight, 0);
  const firstOrder = -signalOf(sigmaNext) * Math.expm1(hh);
  return weightedSum([noiseOf(sigmaNext) / noiseOf(sigma), x], [firstOrder - taken, newest], ...terms);
}

function predict(step: Step): Float32Array {
  const at = ratios(step);
  const hh = -Math.log(step.sigma / step.sigmaNext);
  const weights = at.length === 1 ? [0.5] : quotientWeights(at, hh); // the paper's choice at order 2
  return advance(
    step,
    at,
    weights,
    step.known.slice(1).map((e) => e.denoised),
  );
}

/** The same step again, now that the estimate at its end is known. */
function correct(step: Step, denoisedNext: Float32Array): Float32Array {
  const at = [...ratios(step), 1];
  const hh = -Math.log(step.sigma / step.sigmaNext);
  const weights = at.length === 1 ? [0.5] : quotientWeights(at, hh);
  return advance(step, at, weights, [...step.known.slice(1).map((e) => e.denoised), denoisedNext]);
}

export const unipc: Sampler = (model, z, sigmas, _options, callback) => {
  const steps = sigmas.length - 1;
  let known: Estimate[] = [];
  let last: Step | undefined;
  return runUnitVarianceSteps(model, z, sigmas, callback, ({ x, denoised, sigma, sigmaNext, step }) => {
    const corrected = last ? correct(last, denoised) : x;
    known = [{ lambda: -Math.log(sigma), denoised }, ...known].slice(0, ORDER);
    const order = Math.min(known.length, steps - step); // lower orders towards the end
    last = { x: corrected, sigma, sigmaNext, known: known.slice(0, order) };
    return predict(last);
  });
};
