/**
 * How one tensor of a checkpoint lies in the cache: in memory order and packed as the engine uploads it (weights.ts),
 * cut into pieces of whole rows.
 */
import { packWeight, unpackWeight, weightBytes, weightTypeFor } from "../engine/weights";
import { elementCount, type WeightPrecision, type WeightSpec, type WeightType } from "../engine/tensor";
import { transpose } from "../formats/checkpoint/tensor";

export type PackedLayout = WeightSpec["layout"];

/** The form of one tensor in the cache. */
export interface PackedForm {
  readonly layout: PackedLayout;
  readonly type: WeightType;
  /** As in the checkpoint, e.g. `[out, in, 3, 3]`. */
  readonly shape: readonly number[];
  /** In memory, inputs padded to quads: `[out, 9, in]`. */
  readonly memory: readonly number[];
}

/** Kept exact and unquantised whatever is chosen: embeddings, and the projection that SDXL reads transposed. */
const TABLES = /(token_embedding|position_embedding)\.weight$|positional_embedding$|text_projection$/;

/**
 * @param storage what the person chose for matrices; vectors are f32, tables f16 at most
 * @param precision what the model's graphs ask for this tensor
 */
export function packedForm(
  key: string,
  shape: readonly number[],
  storage: WeightType,
  precision?: WeightPrecision,
): PackedForm {
  const form = formOfType(key, shape, "f32");
  const spec = { keys: [key], layout: form.layout, shape: form.memory, ...(precision && { precision }) };
  return { ...form, type: weightTypeFor(spec, storage) };
}

/** The form of a tensor that was packed as this type. */
export function formOfType(key: string, shape: readonly number[], type: WeightType): PackedForm {
  const layout = layoutOf(key, shape);
  return { layout, type, shape, memory: memoryShape(layout, shape) };
}

function layoutOf(key: string, shape: readonly number[]): PackedLayout {
  if (shape.length < 2) return "vector";
  if (TABLES.test(key)) return "table";
  return elementCount(shape.slice(2)) === 9 ? "conv3x3" : "matrix";
}

function memoryShape(layout: PackedLayout, shape: readonly number[]): number[] {
  const [rows = 1, inputs = 1] = shape;
  if (layout === "vector") return [elementCount(shape)];
  const padded = 4 * Math.ceil(inputs / 4);
  return layout === "conv3x3" ? [rows, 9, padded] : [rows, padded];
}

/** Values of one row in the checkpoint. */
export function rowLength({ shape }: PackedForm): number {
  return elementCount(shape.slice(1));
}

export function rowCount({ shape }: PackedForm): number {
  return shape[0] ?? 1;
}

function specOf(form: PackedForm, rows: number): WeightSpec {
  return { keys: [], layout: form.layout, shape: [rows, ...form.memory.slice(1)] };
}

/** Bytes of a piece of so many rows. */
export function pieceBytes(form: PackedForm, rows: number): number {
  return weightBytes(specOf(form, rows), form.type);
}

/**
 * Packs rows.
 * @param values of whole rows, in checkpoint order (`transposed`: of the whole matrix, as the file has it)
 */
export function packRows(
  form: PackedForm,
  values: Float32Array,
  transposed: boolean,
): Uint8Array<ArrayBuffer> {
  const rows = transposed ? transpose(values, form.shape) : values;
  return packWeight(toMemoryOrder(form, rows), form.type);
}

/** A piece's values in checkpoint order: what was packed, as far as the type kept it. */
export function unpackRows(
  form: PackedForm,
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
): Float32Array<ArrayBuffer> {
  const memory = unpackWeight(bytes, elementCount(specOf(form, rows).shape), form.type);
  return fromMemoryOrder(form, memory, rows);
}

function toMemoryOrder(form: PackedForm, values: Float32Array): Float32Array {
  const { inputs, taps, padded } = geometry(form);
  if (taps === 1 && padded === inputs) return values;
  const rows = values.length / (inputs * taps);
  const memory = new Float32Array(rows * taps * padded);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let input = 0; input < inputs; input++) {
      let to = row * taps * padded + input;
      for (let tap = 0; tap < taps; tap++, to += padded) memory[to] = values[at++] ?? 0;
    }
  }
  return memory;
}

function fromMemoryOrder(
  form: PackedForm,
  memory: Float32Array<ArrayBuffer>,
  rows: number,
): Float32Array<ArrayBuffer> {
  const { inputs, taps, padded } = geometry(form);
  if (taps === 1 && padded === inputs) return memory;
  const values = new Float32Array(rows * taps * inputs);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let input = 0; input < inputs; input++) {
      let from = row * taps * padded + input;
      for (let tap = 0; tap < taps; tap++, from += padded) values[at++] = memory[from] ?? 0;
    }
  }
  return values;
}

function geometry({ layout, shape, memory }: PackedForm): { inputs: number; taps: number; padded: number } {
  if (layout === "vector") return { inputs: 1, taps: 1, padded: 1 };
  return { inputs: shape[1] ?? 1, taps: layout === "conv3x3" ? 9 : 1, padded: memory.at(-1) ?? 1 };
}
