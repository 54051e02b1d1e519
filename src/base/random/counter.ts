/**
 * Weft's own random numbers for training: noise, timesteps, shuffles.
 *
 * Stateless: every number is a function of (seed, step, stream, index) through Philox4x32-10 with counter
 * (index, 0, step, stream) and the seed as key. A resumed run therefore draws what the uninterrupted one drew.
 * The WGSL side (dropout masks) uses the same layout.
 */
import { philox4x32, seedWords } from "./philox";

/** One number per use, so that two uses in one step never share numbers. Never renumber: saved runs depend on it. */
export const randomStream = {
  noise: 0,
  timestep: 1,
  posterior: 2,
  shuffle: 3,
  loraInit: 4,
  dropout: 5,
  caption: 6,
  noiseOffset: 7,
  evaluation: 8,
  captionText: 9,
} as const;

/** Where in the random numbers of a run a draw sits. */
export interface RandomPosition {
  /** A safe integer ≥ 0. */
  seed: number;
  /** The step, or whatever counts up for the stream (the epoch, for shuffles); modulo 2³². */
  step: number;
  stream: number;
}

function block(words: Uint32Array, at: RandomPosition, index: number): void {
  const [key0, key1] = seedWords(at.seed);
  philox4x32(words, index, 0, at.step, at.stream, key0, key1);
}

/** Two words to a double in (0, 1), 52 bits and a half: never 0 (its logarithm is finite) and never 1. */
function openUnit(high: number, low: number): number {
  return ((high >>> 6) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 52;
}

/**
 * Fills `out` with unit normals (overwrites). Box-Muller in double precision: values reach ±8.5, and the first n
 * values do not depend on how long `out` is.
 */
export function counterNormal(seed: number, step: number, stream: number, out: Float32Array): void {
  const words = new Uint32Array(4);
  for (let i = 0; i < out.length; i += 2) {
    block(words, { seed, step, stream }, i / 2);
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
    const radius = Math.sqrt(-2 * Math.log(openUnit(w0, w1)));
    const angle = 2 * Math.PI * openUnit(w2, w3);
    out[i] = radius * Math.cos(angle);
    if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle);
  }
}

/** The `index`-th uniform number in (0, 1) of the stream. */
export function counterUniform(seed: number, step: number, stream: number, index: number): number {
  const words = new Uint32Array(4);
  block(words, { seed, step, stream }, index);
  return openUnit(words[0] ?? 0, words[1] ?? 0);
}

/** The `index`-th uniform integer in [0, bound) of the stream; bias below bound · 2⁻⁵². */
export function counterUniformInt(
  seed: number,
  step: number,
  stream: number,
  index: number,
  bound: number,
): number {
  return Math.floor(counterUniform(seed, step, stream, index) * bound);
}

/** A permutation of 0…n−1 (Fisher-Yates). */
export function counterPermutation(seed: number, step: number, stream: number, n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = counterUniformInt(seed, step, stream, i, i + 1);
    const picked = order[j] ?? 0;
    order[j] = order[i] ?? 0;
    order[i] = picked;
  }
  return order;
}
