/** A model's tensor wherever its values lie: usually one range of one file, sometimes several, or stored transposed. */
import { invariant } from "../../base/errors";
import type { TensorInfo } from "../safetensors/header";
import type { ByteSource } from "../safetensors/source";
import { readTensor } from "../safetensors/tensor";

export interface CheckpointTensor extends TensorInfo {
  /**
   * Ranges whose rows, one after the other, make the tensor (q, k and v that diffusers keeps apart). Then `begin` and
   * `end` are 0 and mean nothing.
   */
  readonly pieces?: readonly TensorInfo[];
  /** The file holds the matrix with rows and columns swapped; `shape` is the canonical one. */
  readonly transposed?: true;
}

/** The ranges of a tensor in order of its rows. */
export function tensorRanges(tensor: CheckpointTensor): readonly TensorInfo[] {
  return tensor.pieces ?? [tensor];
}

/**
 * All values as f32, row-major in the canonical shape.
 * @throws TensorFileError as `readTensor` does
 */
export async function readCheckpointTensor(
  source: ByteSource,
  tensor: CheckpointTensor,
): Promise<Float32Array<ArrayBuffer>> {
  const ranges = tensorRanges(tensor);
  const parts: Float32Array<ArrayBuffer>[] = [];
  for (const range of ranges) parts.push(await readTensor(source, range, "f32"));
  const [only] = parts;
  const values = parts.length === 1 && only ? only : concatenated(parts);
  return tensor.transposed ? transpose(values, tensor.shape) : values;
}

function concatenated(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return values;
}

/** `[columns, rows]` as stored → `[rows, columns]`. */
export function transpose(stored: Float32Array, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const [rows = 1, columns = 1] = shape;
  invariant(stored.length === rows * columns, "a transposed tensor is a matrix");
  const values = new Float32Array(stored.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) values[r * columns + c] = stored[c * rows + r] ?? 0;
  }
  return values;
}
