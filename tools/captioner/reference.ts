/**
 * CLIP Interrogator's ranking in float64, from weights to phrases, written apart from the app's: plain loops over
 * arrays of numbers, no ONNX, none of the app's vectors or tables.
 */
import { embedWidth, imageSide, patchSide, patches, textLength, width, type Weights } from "./tinyClip";

type Matrix = number[][];

const values = (weights: Weights, name: string): Float32Array => weights[name]?.data ?? new Float32Array();

function matrixOf(weights: Weights, name: string, columns: number): Matrix {
  const data = values(weights, name);
  return Array.from({ length: data.length / columns }, (_, r) =>
    Array.from(data.subarray(r * columns, (r + 1) * columns)),
  );
}

function times(a: Matrix, b: Matrix): Matrix {
  return a.map((row) =>
    (b[0] ?? []).map((_, c) => row.reduce((sum, value, k) => sum + value * (b[k]?.[c] ?? 0), 0)),
  );
}

function plus(a: Matrix, b: Matrix): Matrix {
  return a.map((row, r) => row.map((value, c) => value + (b[r]?.[c] ?? 0)));
}

function layerNorm(rows: Matrix, scale: Float32Array, bias: Float32Array): Matrix {
  return rows.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    const deviation = Math.sqrt(variance + 1e-5);
    return row.map((value, i) => ((value - mean) / deviation) * (scale[i] ?? 0) + (bias[i] ?? 0));
  });
}

function softmax(row: number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

/** @param causal row t sees rows up to t only */
function block(weights: Weights, x: Matrix, causal: boolean): Matrix {
  const norm = (rows: Matrix, name: string) =>
    layerNorm(rows, values(weights, name), values(weights, `${name}_bias`));
  const by = (rows: Matrix, name: string, columns = width) => times(rows, matrixOf(weights, name, columns));
  const normed = norm(x, "norm1");
  const [q, k, v] = [by(normed, "query"), by(normed, "key"), by(normed, "value")];
  const mixed = q.map((query, t) => {
    const seen = causal ? k.slice(0, t + 1) : k;
    const scores = seen.map(
      (key) => key.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0) / Math.sqrt(width),
    );
    return times([softmax(scores)], v.slice(0, seen.length))[0] ?? [];
  });
  const x1 = plus(x, by(mixed, "out"));
  const up = by(norm(x1, "norm2"), "up", 4 * width);
  const active = up.map((row) => row.map((value) => value / (1 + Math.exp(-1.702 * value))));
  return norm(plus(x1, by(active, "down")), "norm3");
}

function unit(row: number[]): number[] {
  const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  return row.map((value) => value / length);
}

const mean = [0.48145466, 0.4578275, 0.40821073];
const deviation = [0.26862954, 0.26130258, 0.27577711];

/** @param rgb [32, 32, 3] bytes */
export function referenceImageFeatures(weights: Weights, rgb: Uint8Array): number[] {
  const patch = values(weights, "patch");
  const perRow = imageSide / patchSide;
  const tokens = Array.from({ length: patches }, (_, p) =>
    Array.from({ length: width }, (_, out) => {
      let sum = 0;
      for (let c = 0; c < 3; c++)
        for (let y = 0; y < patchSide; y++)
          for (let x = 0; x < patchSide; x++) {
            const row = Math.floor(p / perRow) * patchSide + y;
            const column = (p % perRow) * patchSide + x;
            const byte = rgb[(row * imageSide + column) * 3 + c] ?? 0;
            const weight = patch[((out * 3 + c) * patchSide + y) * patchSide + x] ?? 0;
            sum += ((byte / 255 - (mean[c] ?? 0)) / (deviation[c] ?? 1)) * weight;
          }
      return sum;
    }),
  );
  const sequence = plus(
    [Array.from(values(weights, "class")), ...tokens],
    matrixOf(weights, "position", width),
  );
  const [pooled = []] = block(weights, sequence, false);
  return unit(times([pooled], matrixOf(weights, "projection", embedWidth))[0] ?? []);
}

/** @param ids the 77 ids of a text, its end token included */
export function referenceTextFeatures(weights: Weights, ids: readonly number[]): number[] {
  const token = values(weights, "token");
  const end = ids.indexOf(Math.max(...ids));
  const seen = ids.slice(0, Math.min(end + 1, textLength));
  const x = seen.map((id) => Array.from(token.subarray(id * width, (id + 1) * width)));
  const positioned = plus(x, matrixOf(weights, "position", width));
  const pooled = block(weights, positioned, true).at(-1) ?? [];
  return unit(times([pooled], matrixOf(weights, "projection", embedWidth))[0] ?? []);
}

export interface ReferenceClip {
  features: number[];
  /** Unit vector of a text; remembered. */
  text(line: string): number[];
  /** Whether token 77 is used. */
  full(line: string): boolean;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function order(scores: readonly number[], count: number): number[] {
  return scores
    .map((score, i) => [score, i] as const)
    .sort((a, b) => b[0] - a[0])
    .slice(0, count)
    .map(([, i]) => i);
}

/** The top `count`, in pieces when the list is longer than `chunk`; see section 1 of CLIP Interrogator's description. */
export function referenceRank(
  clip: ReferenceClip,
  phrases: readonly string[],
  count: number,
  chunk: number,
  reverse = false,
): string[] {
  const score = (list: readonly string[], sign: number) =>
    list.map((p) => sign * dot(clip.text(p), clip.features));
  const pick = (list: readonly string[], n: number, sign: number) =>
    order(score(list, sign), n).map((i) => list[i] ?? "");
  const sign = reverse ? -1 : 1;
  if (phrases.length <= chunk) return pick(phrases, count, sign);
  const chunks = Math.ceil(phrases.length / chunk);
  const survivors: string[] = [];
  for (let c = 0; c < chunks; c++)
    survivors.push(...pick(phrases.slice(c * chunk, (c + 1) * chunk), Math.floor(chunk / chunks), sign));
  return pick(survivors, count, 1);
}

export function referenceSimilarity(clip: ReferenceClip, line: string): number {
  return dot(clip.text(line), clip.features);
}

function topOf(clip: ReferenceClip, lines: readonly string[], reverse: boolean): string {
  const scores = lines.map((line) => (reverse ? -1 : 1) * referenceSimilarity(clip, line));
  return lines[scores.indexOf(Math.max(...scores))] ?? "";
}

export function referenceChain(
  clip: ReferenceClip,
  phrases: readonly string[],
  { start = "", min = 8, max = 32, reverse = false },
): string {
  const left = [...new Set(phrases)];
  const drop = (phrase: string) => left.splice(left.indexOf(phrase), 1);
  let best = start;
  if (best === "") {
    best = topOf(clip, left, reverse);
    drop(best);
  }
  let bestSimilarity = referenceSimilarity(clip, best);
  let [current, currentSimilarity] = [best, bestSimilarity];
  for (let i = 0; i < max; i++) {
    const next = topOf(
      clip,
      left.map((p) => `${current}, ${p}`),
      reverse,
    );
    const added = next.slice(current.length + 2);
    const similarity = (reverse ? -1 : 1) * referenceSimilarity(clip, next);
    if (similarity > bestSimilarity) [best, bestSimilarity] = [next, similarity];
    if (!(similarity > currentSimilarity || i < min)) break;
    [current, currentSimilarity] = [next, similarity];
    if (clip.full(current)) break;
    drop(added);
    if (left.length === 0) break;
  }
  return best;
}

export function referenceTruncate(clip: ReferenceClip, text: string): string {
  const parts = text.split(", ");
  let kept = parts.shift() ?? "";
  for (const part of parts) {
    if (clip.full(kept + part)) break;
    kept = `${kept}, ${part}`;
  }
  return kept;
}
