/**
 * What a model's output means. One object owns it and gives both the training target and the denoised estimate,
 * so training and sampling cannot disagree.
 *
 * Every formula is linear, so it is given as two weights: a GPU kernel takes the numbers, the CPU helpers below use
 * the same ones.
 */

export type PredictionName = "epsilon" | "v";

export interface Prediction {
  readonly name: PredictionName;
  /** Loss target = clean · x_0 + noise · ε, at ᾱ. */
  targetWeights(alphaCumprod: number): { clean: number; noise: number };
  /** Denoised = skip · x + out · output, for x = x_0 + σ ε (not scaled to unit variance). */
  denoisedWeights(sigma: number): { skip: number; out: number };
  /** ε = input · x_t + out · output, for x_t = √ᾱ x_0 + √(1−ᾱ) ε. */
  noiseWeights(alphaCumprod: number): { input: number; out: number };
}

/** The model predicts the noise ε (Ho et al. 2020): SD1, SD2-base, SDXL. */
export const epsilonPrediction: Prediction = {
  name: "epsilon",
  targetWeights: () => ({ clean: 0, noise: 1 }),
  denoisedWeights: (sigma) => ({ skip: 1, out: -sigma }),
  noiseWeights: () => ({ input: 0, out: 1 }),
};

/** The model predicts v = √ᾱ ε − √(1−ᾱ) x_0 (Salimans & Ho 2022): SD2-768. */
export const vPrediction: Prediction = {
  name: "v",
  targetWeights: (alpha) => ({ clean: -Math.sqrt(1 - alpha), noise: Math.sqrt(alpha) }),
  denoisedWeights: (sigma) => ({ skip: 1 / (sigma ** 2 + 1), out: -sigma / Math.sqrt(sigma ** 2 + 1) }),
  noiseWeights: (alpha) => ({ input: Math.sqrt(1 - alpha), out: Math.sqrt(alpha) }),
};

export const predictions: Record<PredictionName, Prediction> = { epsilon: epsilonPrediction, v: vPrediction };

/** The network sees x · this: x = x_0 + σ ε scaled to about unit variance. */
export function networkInputScale(sigma: number): number {
  return 1 / Math.sqrt(sigma ** 2 + 1);
}

/** a·x + b·y, elementwise, into a new array. */
function blend(a: number, x: Float32Array, b: number, y: Float32Array): Float32Array {
  return x.map((value, i) => a * value + b * (y[i] ?? 0));
}

/** x_t = √ᾱ x_0 + √(1−ᾱ) ε. */
export function addNoise(clean: Float32Array, noise: Float32Array, alphaCumprod: number): Float32Array {
  return blend(Math.sqrt(alphaCumprod), clean, Math.sqrt(1 - alphaCumprod), noise);
}

/** What the network's output is compared with in training. */
export function lossTarget(
  prediction: Prediction,
  clean: Float32Array,
  noise: Float32Array,
  alphaCumprod: number,
): Float32Array {
  const weights = prediction.targetWeights(alphaCumprod);
  return blend(weights.clean, clean, weights.noise, noise);
}

/** The clean estimate D(x; σ) from the network's output. @param noisy x = x_0 + σ ε, before `networkInputScale`. */
export function denoised(
  prediction: Prediction,
  output: Float32Array,
  noisy: Float32Array,
  sigma: number,
): Float32Array {
  const weights = prediction.denoisedWeights(sigma);
  return blend(weights.skip, noisy, weights.out, output);
}
