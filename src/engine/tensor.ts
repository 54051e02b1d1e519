/**
 * Symbolic tensors: shapes and types known before anything is allocated.
 *
 * Layout is channels last everywhere (`[batch, height, width, channels]`, `[batch, tokens, channels]`), contiguous,
 * and the last dimension is a multiple of four, so that kernels move whole quads.
 */
import { InternalError, invariant } from "../base/errors";

/** How activations are stored. `f16` is two halves packed in a `u32`, so it needs no `shader-f16`; sums are f32. */
export type ActivationType = "f32" | "f16";

export type TensorType = ActivationType | "u32";

/** How a frozen weight lies in GPU memory; see `weights.ts` for the byte layouts. */
export type WeightType = "f32" | "f16" | "q8" | "q4";

/**
 * Which memory a tensor lives in.
 * - `activation`: written by a node, placed in the arena by the planner
 * - `input`: written by the host before a run, kept for the program's life
 * - `weight`: frozen, owned by a WeightStore, may be shared by programs
 * - {@link FlatRole}: a slice of one of the flat LoRA buffers
 */
export type TensorRole = "activation" | "input" | "weight" | FlatRole;

/** The flat f32 buffers that hold every LoRA value side by side; a name has the same offset in all four. */
export type FlatRole = "parameter" | "gradient" | "moment1" | "moment2";

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly type: TensorType;
}

export interface Tensor extends TensorSpec {
  readonly id: number;
  /** For people and error messages, e.g. `input_blocks.1.1.norm#out`. */
  readonly name: string;
  readonly role: TensorRole;
  /** Present when `role` is `weight`. */
  readonly weight?: WeightSpec;
  /** Offset in floats inside the flat buffer, for flat roles. */
  readonly offset?: number;
}

/**
 * How much precision a weight keeps when a model is quantised, most first:
 *
 * |         | q8  | q4  |
 * | ------- | --- | --- |
 * | exact   | f16 | f16 |
 * | careful | f16 | q8  |
 * | usual   | q8  | q8  |
 * | sturdy  | q8  | q4  |
 */
export type WeightPrecision = "exact" | "careful" | "usual" | "sturdy";

/** How checkpoint tensors become one weight tensor. */
export interface WeightSpec {
  /** Checkpoint keys, concatenated along the output dimension (q, k and v in one matmul). */
  readonly keys: readonly string[];
  /**
   * - `matrix`: `[out, in]` (a 1×1 conv counts)
   * - `transposed`: `[in, out]` in the file, `[out, in]` in memory
   * - `conv3x3`: `[out, in, 3, 3]` in the file, `[out, ky, kx, in]` in memory
   * - `vector`: bias, norm scale; always f32
   * - `table`: embedding rows `[rows, width]`; f16 or f32, never quantised
   */
  readonly layout: "matrix" | "transposed" | "conv3x3" | "vector" | "table";
  /** Shape in memory, after padding channels to quads: `[out, in]`, `[out, 9, in]`, `[n]`, `[rows, width]`. */
  readonly shape: readonly number[];
  /** Default `sturdy`. */
  readonly precision?: WeightPrecision;
  /** Set when the file may lack the key (a bias that some checkpoints drop): filled with this value. */
  readonly missing?: number;
}

export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const extent of shape) count *= extent;
  return count;
}

const BYTES_PER_ELEMENT: Record<TensorType, number> = { f32: 4, f16: 2, u32: 4 };

/** Bytes of a tensor, rounded up to whole quads. */
export function tensorBytes(spec: TensorSpec): number {
  return Math.ceil(elementCount(spec.shape) / 4) * 4 * BYTES_PER_ELEMENT[spec.type];
}

/** The last dimension: channels of an image, width of a token. */
export function channels(spec: TensorSpec): number {
  return dimension(spec, spec.shape.length - 1);
}

/** Everything but the last dimension multiplied: pixels of all images, tokens of all texts. */
export function rows(spec: TensorSpec): number {
  return elementCount(spec.shape) / channels(spec);
}

export function dimension(spec: TensorSpec, axis: number): number {
  const extent = spec.shape[axis];
  if (extent === undefined)
    throw new InternalError(`axis ${axis} of a tensor of shape [${spec.shape.join(", ")}]`);
  return extent;
}

/** Fails early where a shape would break the quad rule. */
export function checkQuads(name: string, spec: TensorSpec): void {
  invariant(
    channels(spec) % 4 === 0,
    () => `${name}: last dimension of [${spec.shape.join(", ")}] is not a multiple of 4`,
  );
}
