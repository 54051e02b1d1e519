/** Feature vectors: lengths, products, best ones. Sums are f64, so that rankings do not depend on their order. */

/** A matrix of feature vectors, row-major. */
export interface Vectors {
  /** [count · width] */
  data: Float32Array;
  width: number;
}

export function countOf({ data, width }: Vectors): number {
  return width === 0 ? 0 : data.length / width;
}

/** Row `index` as a view. */
export function rowOf({ data, width }: Vectors, index: number): Float32Array {
  return data.subarray(index * width, (index + 1) * width);
}

/** Divides every row by its length, in place. Rows of zeros stay. */
export function normaliseRows(vectors: Vectors): Vectors {
  for (let i = 0; i < countOf(vectors); i++) {
    const row = rowOf(vectors, i);
    const length = Math.sqrt(dot(row, row));
    if (length > 0) for (let k = 0; k < row.length; k++) row[k] = (row[k] ?? 0) / length;
  }
  return vectors;
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Indices of the `count` largest values, largest first; equal values keep their order. */
export function topIndices(values: ArrayLike<number>, count: number): number[] {
  const order = Array.from({ length: values.length }, (_, i) => i);
  order.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
  return order.slice(0, count);
}
