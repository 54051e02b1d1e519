/** Kernels of attention whose registers depend on the head dimension: one definition per tile, made on first use. */
import { defineKernel, type KernelDefinition } from "./kernel";
import type { KernelConstants } from "../prelude";
import { unroll } from "./unroll";

export type Tile = Readonly<Record<string, number>>;

/** Uniform fields of all of them. */
export const attentionParameters = {
  heads: "u32",
  tq: "u32",
  tk: "u32",
  tqPad: "u32",
  qStride: "u32",
  kvStride: "u32",
  kOffset: "u32",
  vOffset: "u32",
  scale: "f32",
} as const;

/** Workgroup memory of the team kernels: two tiles of BK rows, the exchange of partial sums, row statistics. */
export function teamSharedBytes({ BK, D4, SLOTS, SHUFFLE }: KernelConstants): number {
  const tiles = 2 * 16 * Number(BK) * Number(D4);
  const exchange = SHUFFLE ? 0 : 16 * 64 * Number(SLOTS);
  return tiles + exchange + 8 * Number(BK);
}

/** Unrolls `source` to each tile asked for; pass the same tile as constants of the call. */
export function tiledKernels(definition: KernelDefinition): (tile: Tile) => KernelDefinition {
  const made = new Map<string, KernelDefinition>();
  return (tile) => {
    const key = Object.entries(tile).join();
    const known = made.get(key);
    if (known) return known;
    const kernel = defineKernel({ ...definition, source: unroll(definition.source, tile) });
    made.set(key, kernel);
    return kernel;
  };
}
