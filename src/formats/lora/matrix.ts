/** The few dense products that merging needs, over row-major float32 data with float64 sums. */
import { invariant } from "../../base/errors";

/** A matrix [rows, columns]. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Views a tensor as [first axis, all others]. */
export function asMatrix({ shape, data }: { shape: readonly number[]; data: Float32Array }): Matrix {
  const rows = shape[0] ?? 1;
  return { rows, columns: rows === 0 ? 0 : data.length / rows, data };
}

/** a [n, k] times b [k, m]. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  invariant(a.columns === b.rows, () => `product of ${a.rows}x${a.columns} and ${b.rows}x${b.columns}`);
  const data = new Float32Array(a.rows * b.columns);
  const row = new Float64Array(b.columns);
  for (let i = 0; i < a.rows; i++) {
    row.fill(0);
    for (let k = 0; k < a.columns; k++) addScaledRow(row, b, k, a.data[i * a.columns + k] ?? 0);
    data.set(row, i * b.columns);
  }
  return { rows: a.rows, columns: b.columns, data };
}

function addScaledRow(sum: Float64Array, b: Matrix, k: number, scale: number): void {
  if (scale === 0) return;
  const offset = k * b.columns;
  for (let j = 0; j < sum.length; j++) sum[j] = (sum[j] ?? 0) + scale * (b.data[offset + j] ?? 0);
}

export function transpose({ rows, columns, data }: Matrix): Matrix {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j] ?? 0;
  return { rows: columns, columns: rows, data: out };
}

/** Elementwise product of equally sized matrices. */
export function hadamard(a: Matrix, b: Matrix): Matrix {
  invariant(a.data.length === b.data.length, "elementwise product of different sizes");
  return { ...a, data: a.data.map((x, i) => x * (b.data[i] ?? 0)) };
}

/**
 * Kronecker product of a [n, m] and a block tensor b [p, q·side²] seen as [p, q, side²]:
 * result [n·p, m·q·side²].
 */
export function kronecker(a: Matrix, b: Matrix, area: number): Matrix {
  const q = b.columns / area;
  const columns = a.columns * b.columns;
  const data = new Float32Array(a.rows * b.rows * columns);
  for (let i = 0; i < a.rows * b.rows; i++) {
    const [ai, bi] = [Math.floor(i / b.rows), i % b.rows];
    for (let j = 0; j < columns; j++) {
      const channel = Math.floor(j / area);
      const [aj, bj] = [Math.floor(channel / q), (channel % q) * area + (j % area)];
      data[i * columns + j] = (a.data[ai * a.columns + aj] ?? 0) * (b.data[bi * b.columns + bj] ?? 0);
    }
  }
  return { rows: a.rows * b.rows, columns, data };
}

/**
 * Tucker form: W[o, i, h, w] = sum over r, s of outer[o, r] · core[r, s, h, w] · inner[s, i].
 * @param outer [out, R]
 * @param core shape [R, S, kh, kw]
 * @param inner [S, in]
 * @returns [out, in·kh·kw]
 */
export function tucker(
  outer: Matrix,
  core: { shape: readonly number[]; data: Float32Array },
  inner: Matrix,
): Matrix {
  const [r = 0, s = 0, kh = 1, kw = 1] = core.shape;
  const area = kh * kw;
  const slices: Matrix[] = Array.from({ length: area }, (_slice, at) => {
    const slice = Float32Array.from({ length: r * s }, (_value, i) => core.data[i * area + at] ?? 0);
    return multiply(multiply(outer, { rows: r, columns: s, data: slice }), inner);
  });
  const data = new Float32Array(outer.rows * inner.columns * area);
  slices.forEach((slice, at) => slice.data.forEach((x, i) => (data[i * area + at] = x)));
  return { rows: outer.rows, columns: inner.columns * area, data };
}
