/** The shapes of performance.md R1 and SD 1.5's attention, their data, and sampled results in double precision. */
import type { AttentionCase, BenchCase, ConvCase, MatmulCase } from "../types";

const matmul = (rows: number, inputs: number, outputs: number): MatmulCase => ({
  kind: "matmul",
  rows,
  inputs,
  outputs,
});
const conv = (size: number, inputs: number, outputs: number): ConvCase => ({
  kind: "conv",
  size,
  inputs,
  outputs,
});
const attention = (heads: number, headDim: number, queries: number, keys?: number): AttentionCase => ({
  kind: "attention",
  heads,
  headDim,
  queries,
  ...(keys !== undefined && { keys }),
});

export const CASES: Record<"full" | "scaled", readonly BenchCase[]> = {
  full: [
    matmul(4096, 320, 320),
    matmul(4096, 320, 2560),
    matmul(1024, 640, 640),
    matmul(256, 1280, 1280),
    matmul(4096, 2560, 320),
    conv(64, 320, 320),
    conv(64, 960, 320),
    conv(16, 1280, 1280),
    attention(8, 40, 4096),
    attention(8, 80, 1024),
    attention(8, 160, 256),
    attention(8, 40, 4096, 77),
  ],
  // The same channels with fewer rows, pixels and tokens: a software adapter does the full list in half an hour.
  scaled: [
    matmul(512, 320, 320),
    matmul(128, 320, 2560),
    matmul(256, 640, 640),
    matmul(64, 1280, 1280),
    matmul(128, 2560, 320),
    conv(12, 320, 320),
    conv(8, 960, 320),
    conv(4, 1280, 1280),
    attention(8, 40, 256),
    attention(8, 80, 256),
    attention(8, 160, 64),
    attention(8, 40, 512, 77),
    // Mini's own heads.
    attention(8, 8, 256),
    attention(8, 16, 64, 77),
  ],
};

export function caseName(c: BenchCase): string {
  switch (c.kind) {
    case "matmul":
      return `matmul ${c.rows}×${c.inputs}→${c.outputs}`;
    case "conv":
      return `conv 3×3 ${c.inputs}→${c.outputs} @${c.size}²`;
    case "attention":
      return `attention ${c.heads}×${c.headDim}, ${c.queries} × ${c.keys ?? c.queries}`;
  }
}

export function caseFlops(c: BenchCase): number {
  switch (c.kind) {
    case "matmul":
      return 2 * c.rows * c.inputs * c.outputs;
    case "conv":
      return 2 * 9 * c.size ** 2 * c.inputs * c.outputs;
    case "attention":
      return 4 * c.heads * c.headDim * c.queries * (c.keys ?? c.queries);
  }
}

/**
 * Row-major, channels last, as Weft stores them.
 * - matmul: x [rows, inputs], w [outputs, inputs]
 * - conv: x [size, size, inputs], w [outputs, 9, inputs]
 * - attention: x = q [queries, C], w = k | v [keys, 2C]
 */
export interface CaseData {
  readonly x: Float32Array<ArrayBuffer>;
  readonly w: Float32Array<ArrayBuffer>;
}

/** Numbers of the size real layers see: activations about 1, weights so that outputs are about 1. */
export function drawData(c: BenchCase): CaseData {
  const random = uniform(1);
  switch (c.kind) {
    case "matmul":
      return {
        x: fill(c.rows * c.inputs, 1, random),
        w: fill(c.outputs * c.inputs, c.inputs ** -0.5, random),
      };
    case "conv": {
      const w = fill(c.outputs * 9 * c.inputs, (9 * c.inputs) ** -0.5, random);
      return { x: fill(c.size ** 2 * c.inputs, 1, random), w };
    }
    case "attention": {
      const width = c.heads * c.headDim;
      return { x: fill(c.queries * width, 2, random), w: fill((c.keys ?? c.queries) * 2 * width, 2, random) };
    }
  }
}

function fill(length: number, scale: number, random: () => number): Float32Array<ArrayBuffer> {
  // Uniform in ±√3 has standard deviation 1.
  return Float32Array.from({ length }, () => scale * Math.sqrt(3) * (2 * random() - 1));
}

function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const SAMPLES = 48;

/**
 * Relative L2 error of `result` over some of its elements (rows, for attention), each computed in double precision.
 * @param result in Weft's layout: [rows, outputs], [size, size, outputs] or [queries, C]
 */
export function sampledError(c: BenchCase, data: CaseData, result: Float32Array): number {
  const random = uniform(7);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const index = Math.floor(random() * result.length);
    const expected = expectedAt(c, data, index);
    difference += ((result[index] ?? Number.NaN) - expected) ** 2;
    norm += expected ** 2;
  }
  return Math.sqrt(difference / norm);
}

function expectedAt(c: BenchCase, data: CaseData, index: number): number {
  switch (c.kind) {
    case "matmul":
      return dot(data, Math.floor(index / c.outputs) * c.inputs, (index % c.outputs) * c.inputs, c.inputs);
    case "conv":
      return convolvedAt(c, data, index);
    case "attention":
      return attendedAt(c, data, index);
  }
}

function dot({ x, w }: CaseData, xAt: number, wAt: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (x[xAt + i] ?? 0) * (w[wAt + i] ?? 0);
  return sum;
}

function convolvedAt({ size, inputs, outputs }: ConvCase, data: CaseData, index: number): number {
  const output = index % outputs;
  const pixel = Math.floor(index / outputs);
  let sum = 0;
  for (let tap = 0; tap < 9; tap++) {
    const y = Math.floor(pixel / size) + Math.floor(tap / 3) - 1;
    const x = (pixel % size) + (tap % 3) - 1;
    if (y < 0 || x < 0 || y >= size || x >= size) continue;
    sum += dot(data, (y * size + x) * inputs, (output * 9 + tap) * inputs, inputs);
  }
  return sum;
}

function attendedAt(c: AttentionCase, data: CaseData, index: number): number {
  const width = c.heads * c.headDim;
  const column = index % width;
  const head = Math.floor(column / c.headDim) * c.headDim;
  const queryAt = Math.floor(index / width) * width + head;
  const logits = Float64Array.from({ length: c.keys ?? c.queries }, (_, key) =>
    dot(data, queryAt, key * 2 * width + head, c.headDim),
  ).map((logit) => logit * c.headDim ** -0.5);
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  let sum = 0;
  logits.forEach((logit, key) => {
    const p = Math.exp(logit - top);
    total += p;
    sum += p * (data.w[key * 2 * width + width + column] ?? Number.NaN);
  });
  return sum / total;
}
