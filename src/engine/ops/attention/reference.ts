/** Attention in double precision with every score materialised: the yardstick of tests and benches. */

export interface ReferenceAttention {
  readonly images: number;
  readonly heads: number;
  readonly tq: number;
  readonly tk: number;
  /** Columns of all heads. */
  readonly width: number;
  readonly causal?: boolean;
  /** Default headDim^-½. */
  readonly scale?: number;
}

/** A matrix inside wider rows. */
export interface Columns {
  readonly data: ArrayLike<number>;
  readonly stride: number;
  readonly offset: number;
}

/** o [images, tq, width] from column ranges q [images·tq], k and v [images·tk]. */
export function referenceAttention(
  q: Columns,
  k: Columns,
  v: Columns,
  options: ReferenceAttention,
): Float64Array {
  const { images, heads, tq, width } = options;
  const o = new Float64Array(images * tq * width);
  for (let image = 0; image < images; image++) {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < tq; i++) attendRow(o, q, k, v, options, { image, head, i });
    }
  }
  return o;
}

interface Row {
  readonly image: number;
  readonly head: number;
  readonly i: number;
}

function attendRow(
  o: Float64Array,
  q: Columns,
  k: Columns,
  v: Columns,
  options: ReferenceAttention,
  row: Row,
): void {
  const { tq, tk, width, heads, causal } = options;
  const d = width / heads;
  const scale = options.scale ?? d ** -0.5;
  const keys = causal ? Math.min(tk, row.i + 1) : tk;
  const place = (columns: Columns, index: number) => index * columns.stride + columns.offset + row.head * d;
  const qAt = place(q, row.image * tq + row.i);
  const logits = new Float64Array(keys);
  for (let j = 0; j < keys; j++) {
    const kAt = place(k, row.image * tk + j);
    let sum = 0;
    for (let c = 0; c < d; c++) sum += (q.data[qAt + c] ?? Number.NaN) * (k.data[kAt + c] ?? Number.NaN);
    logits[j] = sum * scale;
  }
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const p = logits.map((logit) => Math.exp(logit - top));
  const total = p.reduce((a, b) => a + b, 0);
  const oAt = (row.image * tq + row.i) * width + row.head * d;
  for (let j = 0; j < keys; j++) {
    const vAt = place(v, row.image * tk + j);
    const weight = (p[j] ?? 0) / total;
    for (let c = 0; c < d; c++) o[oAt + c] = (o[oAt + c] ?? 0) + weight * (v.data[vAt + c] ?? Number.NaN);
  }
}

/** Of one tensor qkv [images, T, 3·width]. */
export function referenceSelfAttention(qkv: ArrayLike<number>, options: ReferenceAttention): Float64Array {
  const { width } = options;
  const part = (index: number): Columns => ({ data: qkv, stride: 3 * width, offset: index * width });
  return referenceAttention(part(0), part(1), part(2), options);
}

/** Of q [images, Tq, width] and kv [images, Tk, 2·width]. */
export function referenceCrossAttention(
  q: ArrayLike<number>,
  kv: ArrayLike<number>,
  options: ReferenceAttention,
): Float64Array {
  const { width } = options;
  const part = (index: number): Columns => ({ data: kv, stride: 2 * width, offset: index * width });
  return referenceAttention({ data: q, stride: width, offset: 0 }, part(0), part(1), options);
}
