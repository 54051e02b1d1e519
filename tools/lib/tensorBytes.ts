/** Cutting and turning tensors as bytes. */
import type { TensorToWrite } from "../../src/formats/safetensors/write";
import { dtypeBits } from "../../src/formats/safetensors/dtype";

/** Rows [first, first + rows). */
export function splitRows(tensor: TensorToWrite, first: number, rows: number): TensorToWrite {
  const [all = 1, ...width] = tensor.shape;
  const row = tensor.bytes.byteLength / all;
  return { ...tensor, shape: [rows, ...width], bytes: tensor.bytes.slice(first * row, (first + rows) * row) };
}

/** A matrix with rows and columns swapped. */
export function transposeBytes(tensor: TensorToWrite): TensorToWrite {
  const [rows = 1, columns = 1] = tensor.shape;
  const size = dtypeBits(tensor.dtype) / 8;
  const bytes = new Uint8Array(tensor.bytes.byteLength);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const from = (r * columns + c) * size;
      bytes.set(tensor.bytes.subarray(from, from + size), (c * rows + r) * size);
    }
  }
  return { ...tensor, shape: [columns, rows], bytes };
}
