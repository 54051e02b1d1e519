/**
 * Frozen weights in GPU memory: byte layouts and packing.
 *
 * | type | layout per row of `K` values | bits per weight |
 * | --- | --- | --- |
 * | f32 | 4-byte floats | 32 |
 * | f16 | halves, two per word | 16 |
 * | q8 | plane of biased bytes `u = q + 128`, then f16 scales (two per word), one per block of 32 along the row; w = (u − 128)·s | 8.5 |
 * | q4 | plane of nibbles (byte b of a word holds element b low and b + 4 high), then (scale, minimum) as two halves per block; w = u·s + m | 5 |
 *
 * Blocks run along the input channel, so the same bytes serve the forward and the transposed product.
 */
import { WeftError } from "../base/errors";
import { f16ToF32, f32ToF16, floatsToHalf } from "../base/half";
import { bestGrid, nibbleOf } from "./nibbles";
import { elementCount, type WeightPrecision, type WeightSpec, type WeightType } from "./tensor";
import type { PackedRows } from "./packedWeights";

const BLOCK = 32;

const QUANTISED: Record<"q8" | "q4", Record<WeightPrecision, WeightType>> = {
  q8: { exact: "f16", careful: "f16", usual: "q8", sturdy: "q8" },
  q4: { exact: "f16", careful: "q8", usual: "q8", sturdy: "q4" },
};

/**
 * The type a weight really gets: vectors stay f32, tables are never quantised, matrices whose rows are not whole blocks
 * (first and last convolutions) stay f16, and the others follow their precision.
 */
export function weightTypeFor(spec: WeightSpec, requested: WeightType): WeightType {
  if (spec.layout === "vector") return "f32";
  if (requested === "f32" || requested === "f16") return requested;
  const width = spec.shape.at(-1) ?? 0;
  if (spec.layout === "table" || width % BLOCK !== 0) return "f16";
  return QUANTISED[requested][spec.precision ?? "sturdy"];
}

/** Bytes in GPU memory, a multiple of 4. */
export function weightBytes(spec: WeightSpec, type: WeightType): number {
  const count = elementCount(spec.shape);
  switch (type) {
    case "f32":
      return 4 * count;
    case "f16":
      return 4 * Math.ceil(count / 2);
    case "q8":
      return count + 4 * Math.ceil(count / BLOCK / 2);
    case "q4":
      return count / 2 + 4 * (count / BLOCK);
  }
}

/** Word offset of the scale plane of a block-quantised weight. */
export function scalesOffset(spec: WeightSpec, type: WeightType): number {
  const count = elementCount(spec.shape);
  return type === "q8" ? count / 4 : type === "q4" ? count / 8 : 0;
}

/** Packs values that already lie in memory order (`spec.shape`). */
export function packWeight(values: Float32Array, type: WeightType): Uint8Array<ArrayBuffer> {
  switch (type) {
    case "f32":
      return new Uint8Array(new Float32Array(values).buffer);
    case "f16":
      return packHalves(values);
    case "q8":
      return packQ8(values);
    case "q4":
      return packQ4(values);
  }
}

function packHalves(values: Float32Array): Uint8Array<ArrayBuffer> {
  const halves = new Uint16Array(2 * Math.ceil(values.length / 2));
  halves.set(floatsToHalf(values));
  return new Uint8Array(halves.buffer);
}

function packQ8(values: Float32Array): Uint8Array<ArrayBuffer> {
  const blocks = values.length / BLOCK;
  const bytes = new Uint8Array(values.length + 4 * Math.ceil(blocks / 2));
  const scales = new Uint16Array(bytes.buffer, values.length);
  for (let block = 0; block < blocks; block++) {
    const begin = block * BLOCK;
    let largest = 0;
    for (let i = begin; i < begin + BLOCK; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
    // The scale is rounded first and the quants use the rounded one, so the rounding error is not counted twice.
    const half = f32ToF16(largest / 127);
    const scale = f16ToF32(half);
    scales[block] = half;
    for (let i = begin; i < begin + BLOCK; i++) {
      const q = scale === 0 ? 0 : Math.round((values[i] ?? 0) / scale);
      bytes[i] = Math.max(-127, Math.min(127, q)) + 128;
    }
  }
  return bytes;
}

function packQ4(values: Float32Array): Uint8Array<ArrayBuffer> {
  const blocks = values.length / BLOCK;
  const bytes = new Uint8Array(values.length / 2 + 4 * blocks);
  const pairs = new Uint16Array(bytes.buffer, values.length / 2);
  for (let block = 0; block < blocks; block++) {
    const begin = block * BLOCK;
    const grid = bestGrid(values.subarray(begin, begin + BLOCK));
    pairs[2 * block] = grid.scaleHalf;
    pairs[2 * block + 1] = grid.minimumHalf;
    for (let i = 0; i < BLOCK; i++) {
      const byte = (begin >> 1) + (i >> 3) * 4 + (i & 3);
      bytes[byte] = (bytes[byte] ?? 0) | (nibbleOf(values[begin + i] ?? 0, grid) << (i & 4));
    }
  }
  return bytes;
}

/** The values a kernel will see; the reference for tests and for merging into quantised weights. */
export function unpackWeight(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  type: WeightType,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  if (type === "f32") {
    values.set(new Float32Array(bytes.buffer, bytes.byteOffset, count));
  } else if (type === "f16") {
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
    for (let i = 0; i < count; i++) values[i] = f16ToF32(halves[i] ?? 0);
  } else {
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset + (type === "q8" ? count : count / 2));
    for (let i = 0; i < count; i++)
      values[i] = type === "q8" ? q8At(bytes, halves, i) : q4At(bytes, halves, i);
  }
  return values;
}

function q8At(bytes: Uint8Array, scales: Uint16Array, i: number): number {
  return ((bytes[i] ?? 0) - 128) * f16ToF32(scales[Math.floor(i / BLOCK)] ?? 0);
}

function q4At(bytes: Uint8Array, pairs: Uint16Array, i: number): number {
  const block = Math.floor(i / BLOCK);
  const byte = bytes[(i >> 3) * 4 + (i & 3)] ?? 0;
  const nibble = (byte >> (i & 4)) & 15;
  return nibble * f16ToF32(pairs[2 * block] ?? 0) + f16ToF32(pairs[2 * block + 1] ?? 0);
}

/** Where weights come from: a checkpoint read in slices. */
export interface WeightSource {
  /** For error messages: the file's name. */
  readonly name: string;
  shapeOf(key: string): readonly number[] | undefined;
  /** Values in file order as f32. */
  read(key: string): Promise<Float32Array<ArrayBuffer>>;
  /** The tensor's rows in memory order and already packed, when the source keeps them so; see `packedWeights.ts`. */
  readPacked?(
    key: string,
    layout: WeightSpec["layout"],
    type: WeightType,
  ): Promise<readonly PackedRows[] | undefined>;
}

/**
 * Reads one weight in memory order: parts concatenated along the outputs, convolutions permuted to `[out, tap, in]`,
 * channels padded with zeros to whole quads.
 * @throws WeftError `missing-tensors` or `shape` naming the file and the key
 */
export async function readWeight(source: WeightSource, spec: WeightSpec): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(elementCount(spec.shape));
  if (spec.missing !== undefined && spec.keys.every((key) => source.shapeOf(key) === undefined))
    return values.fill(spec.missing);
  const rowLength = elementCount(spec.shape.slice(1));
  let row = 0;
  for (const key of spec.keys) {
    const shape = source.shapeOf(key);
    if (!shape) throw missing(source, key);
    const part = await source.read(key);
    if (spec.layout === "transposed") {
      checkPart(source, key, [...shape].reverse(), spec);
      copyTransposed(part, shape, values, row, rowLength);
      row += shape[1] ?? 0;
      continue;
    }
    checkPart(source, key, shape, spec);
    copyPart(part, shape, values, row, rowLength, spec);
    row += shape[0] ?? 0;
  }
  return values;
}

function checkPart(source: WeightSource, key: string, shape: readonly number[], spec: WeightSpec): void {
  const inputs = shape[1] ?? 1;
  const wanted = spec.layout === "conv3x3" ? (spec.shape[2] ?? 0) : (spec.shape[1] ?? 1);
  const expectedRank = { conv3x3: [4], matrix: [2, 4], transposed: [2], vector: [1], table: [2] }[
    spec.layout
  ];
  const taps = elementCount(shape.slice(2));
  const fits =
    expectedRank.includes(shape.length) &&
    inputs <= wanted &&
    wanted - inputs < 4 &&
    taps === (spec.layout === "conv3x3" ? 9 : 1);
  if (!fits) {
    throw new WeftError(
      "shape",
      `"${source.name}": ${key} has shape [${shape.join(", ")}], expected ${spec.layout} of [${spec.shape.join(", ")}].`,
      "The file is damaged or belongs to another kind of model.",
    );
  }
}

function copyPart(
  part: Float32Array,
  shape: readonly number[],
  values: Float32Array,
  row: number,
  rowLength: number,
  spec: WeightSpec,
): void {
  const [outputs = 0, inputs = 1] = shape;
  const paddedInputs = spec.layout === "conv3x3" ? (spec.shape[2] ?? 0) : rowLength;
  if (spec.layout !== "conv3x3" && inputs === paddedInputs) {
    values.set(part.subarray(0, outputs * rowLength), row * rowLength);
    return;
  }
  const taps = spec.layout === "conv3x3" ? 9 : 1;
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < taps; tap++) {
        values[(row + o) * rowLength + tap * paddedInputs + i] = part[(o * inputs + i) * taps + tap] ?? 0;
      }
    }
  }
}

/** `[in, out]` of the file as rows of outputs. */
function copyTransposed(
  part: Float32Array,
  [inputs = 0, outputs = 0]: readonly number[],
  values: Float32Array,
  row: number,
  rowLength: number,
): void {
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) values[(row + o) * rowLength + i] = part[i * outputs + o] ?? 0;
  }
}

function missing(source: WeightSource, key: string): WeftError {
  return new WeftError(
    "missing-tensors",
    `"${source.name}" lacks the tensor ${key}.`,
    "The file is incomplete or belongs to another kind of model. Use a full Stable Diffusion checkpoint.",
  );
}
