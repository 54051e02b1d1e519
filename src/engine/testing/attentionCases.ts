/** Attention as cases for the op harness: fused self-attention and cross-attention, with their float64 references. */
import type { CaseInput, OpCase } from "./opHarness";
import { attention } from "../ops/attention";
import { referenceCrossAttention, referenceSelfAttention } from "../ops/attention/reference";

export interface Shape {
  readonly images?: number;
  readonly heads: number;
  readonly d: number;
  readonly tq: number;
  /** Present: cross-attention. */
  readonly tk?: number;
  readonly causal?: boolean;
}

export function selfCase(
  { images = 1, heads, d, tq, causal = false }: Shape,
  input: Partial<CaseInput> = {},
): OpCase {
  const width = heads * d;
  return {
    inputs: { qkv: { shape: [images, tq, 3 * width], gradient: true, ...input } },
    build: (graph, { qkv }) => (qkv ? [attention(graph, "attention", { qkv }, { heads, causal })] : []),
    reference: ({ qkv }) => [referenceSelfAttention(qkv ?? [], { images, heads, tq, tk: tq, width, causal })],
  };
}

export function crossCase(
  { images = 1, heads, d, tq, tk = tq }: Shape,
  wanted: { q?: boolean; kv?: boolean } = { q: true, kv: true },
): OpCase {
  const width = heads * d;
  return {
    inputs: {
      q: { shape: [images, tq, width], ...(wanted.q && { gradient: true }) },
      kv: { shape: [images, tk, 2 * width], ...(wanted.kv && { gradient: true }) },
    },
    build: (graph, { q, kv }) => (q && kv ? [attention(graph, "attention", { q, kv }, { heads })] : []),
    reference: ({ q, kv }) => [referenceCrossAttention(q ?? [], kv ?? [], { images, heads, tq, tk, width })],
  };
}
