/** What the bench asks of Weft and of every peer. */
import type { BenchCase } from "../types";
import type { CaseData } from "./cases";

export interface Prepared {
  /** Kernels or graph, in words. */
  readonly variant: string;
  /** Queues the computation once; results stay on the GPU. */
  run(): Promise<void> | void;
  /** Waits until everything queued is done. */
  finished(): Promise<void>;
  /** The last result in Weft's layout. */
  result(): Promise<Float32Array>;
  dispose(): Promise<void> | void;
}

export interface Contender {
  readonly name: string;
  /** Uploads and compiles; one entry for each way of doing it worth trying. */
  ways(c: BenchCase, data: CaseData): readonly (() => Promise<Prepared>)[];
}

/** Rows × columns to columns × rows, for peers that want channels first. */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) result[c * rows + r] = data[r * columns + c] ?? 0;
  }
  return result;
}

/** Part `index` of each row cut into `parts`. */
export function columnsOf(
  data: Float32Array,
  rows: number,
  parts: number,
  index: number,
): Float32Array<ArrayBuffer> {
  const width = data.length / rows / parts;
  const result = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const begin = (r * parts + index) * width;
    result.set(data.subarray(begin, begin + width), r * width);
  }
  return result;
}

/** Weights [outputs, 9, inputs] to the checkpoint's order [outputs, inputs, 3, 3]. */
export function kernelsFirst(w: Float32Array, outputs: number, inputs: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(w.length);
  const each = 9 * inputs;
  for (let o = 0; o < outputs; o++) {
    result.set(transposed(w.subarray(o * each, (o + 1) * each), 9, inputs), o * each);
  }
  return result;
}
