/**
 * Where queries, keys and values lie. Two layouts, no copies:
 * - self-attention: one tensor `qkv` [B, T, 3C], columns q | k | v
 * - cross-attention: `q` [B, Tq, C] and `kv` [B, Tk, 2C], columns k | v
 *
 * Strides and offsets count quads; a head's columns begin at head·d4 inside each part.
 */
import { invariant } from "../../../base/errors";
import { required, type GraphNode, type Inputs } from "../../op";
import { channels, dimension, rows, type Tensor } from "../../tensor";

export interface AttentionAttributes {
  readonly heads: number;
  /** Query i sees keys 0..i only (CLIP's text encoder). */
  readonly causal: boolean;
  /** Multiplies q·kᵀ; usually headDim^-½. */
  readonly scale: number;
}

/** What lowering reads of a node. */
export type AttentionNode = Pick<
  GraphNode<AttentionAttributes>,
  "name" | "inputs" | "outputs" | "attributes"
>;

export interface AttentionGeometry {
  readonly images: number;
  readonly heads: number;
  /** Heads of all images. */
  readonly groups: number;
  readonly tq: number;
  readonly tk: number;
  /** Queries rounded up to a quad: the row length of lse and delta. */
  readonly tqPad: number;
  readonly keyQuads: number;
  /** Quads per head, and per row of all heads. */
  readonly d4: number;
  readonly c4: number;
  readonly qStride: number;
  readonly kvStride: number;
  readonly kOffset: number;
  readonly vOffset: number;
}

/** Layout of `q` (or qkv) and `kv`; throws InternalError on shapes that do not fit. */
export function attentionGeometry(name: string, inputs: Inputs, heads: number): AttentionGeometry {
  const q = required({ name, inputs }, "q");
  const kv = inputs["kv"];
  const c4 = channels(q) / (kv ? 4 : 12);
  const d4 = c4 / heads;
  invariant(
    Number.isInteger(d4) && d4 > 0,
    () => `${name}: ${heads} heads of quads do not fit ${channels(q)} columns`,
  );
  invariant(
    !kv || channels(kv) === 8 * c4,
    () => `${name}: kv has ${kv ? channels(kv) : 0} columns, not ${8 * c4}`,
  );
  const images = dimension(q, 0);
  // Any layout between batch and channels counts as tokens: [B, T, C] and [B, H, W, C] alike.
  const tq = rows(q) / images;
  const tk = rows(kv ?? q) / images;
  const layout = kv
    ? { qStride: c4, kvStride: 2 * c4, kOffset: 0, vOffset: c4 }
    : { qStride: 3 * c4, kvStride: 3 * c4, kOffset: c4, vOffset: 2 * c4 };
  const tqPad = 4 * Math.ceil(tq / 4);
  return {
    images,
    heads,
    groups: images * heads,
    tq,
    tk,
    tqPad,
    keyQuads: Math.ceil(tk / 4),
    d4,
    c4,
    ...layout,
  };
}

/** The tensor that holds keys and values. */
export function keySource(inputs: Inputs, name: string): Tensor {
  return inputs["kv"] ?? required({ name, inputs }, "q");
}

/** Floating-point operations of one of the products (q·kᵀ, p·v, …); masked pairs count, as in the usual formula. */
export function productFlops(g: AttentionGeometry): number {
  return 2 * g.images * g.tq * g.tk * 4 * g.c4;
}

/** Uniform fields that the fused kernels share (`attentionParameters`). */
export function callParameters({
  heads,
  tq,
  tk,
  tqPad,
  qStride,
  kvStride,
  kOffset,
  vOffset,
}: AttentionGeometry) {
  return { heads, tq, tk, tqPad, qStride, kvStride, kOffset, vOffset };
}

export interface ForwardTensors {
  readonly o: Tensor;
  readonly lse: Tensor;
}

/** What a backward node computes; absent outputs are left out together with the work only they need. */
export interface BackwardTensors {
  readonly lse: Tensor;
  readonly delta: Tensor;
  readonly grad: Tensor;
  /** Gradient rows of q: dqkv (self) or dq. */
  readonly dq?: Tensor | undefined;
  /** Gradient rows of k and v: dqkv (self) or dkv. */
  readonly dkv?: Tensor | undefined;
  /** Added to what is written. */
  readonly add?: Tensor | undefined;
}
