/**
 * The register tile of kernels without shared memory: each thread reads OWN rows (pixels, tokens) and owns one quad of
 * output columns. With LANES = 1 it uses its own rows only. With LANES = 4 or 8 the workgroup is one subgroup, and
 * every row read by one of its threads reaches all of them by broadcast, so that OWN + 4 loads feed
 * OWN·LANES × 4 dot products of a thread.
 */
import type { KernelPolicy } from "../policy";
import type { KernelDefinition } from "./kernel";
import { unroll } from "./unroll";

export interface LaneTile {
  readonly OWN: number;
  readonly LANES: 1 | 4 | 8;
}

/** Measured on llvmpipe (8 lanes) and SwiftShader (4 lanes): 16 rows are best, more rows only compile longer. */
const TILES: Record<LaneTile["LANES"], LaneTile> = {
  1: { OWN: 4, LANES: 1 },
  4: { OWN: 4, LANES: 4 },
  8: { OWN: 2, LANES: 8 },
};

const THREADS = 16;

/** One kernel per tile from one source; `#for i OWN` and `#for l LANES` unroll to it. */
export function laneKernels(
  source: string,
  define: (source: string) => KernelDefinition,
): (tile: LaneTile) => KernelDefinition {
  const made = new Map<number, KernelDefinition>();
  return (tile) => {
    const kernel = made.get(tile.LANES) ?? define(unroll(source, { OWN: tile.OWN, LANES: tile.LANES }));
    made.set(tile.LANES, kernel);
    return kernel;
  };
}

/** The tile for this adapter. Idle lanes pay while at least half of them have a quad of columns. */
export function laneTile(policy: KernelPolicy, columnQuads: number): LaneTile {
  const lanes = policy.broadcastLanes;
  return lanes > 0 && 2 * columnQuads >= lanes ? TILES[lanes === 4 ? 4 : 8] : TILES[1];
}

export function laneConstants({ OWN, LANES }: LaneTile): Readonly<Record<string, number | boolean>> {
  return { OWN, LANES, BROADCAST: LANES > 1 };
}

export function laneWorkgroup(
  constants: Readonly<Record<string, number | boolean>>,
): readonly [number, number, number] {
  return [constants["BROADCAST"] ? Number(constants["LANES"]) : THREADS, 1, 1];
}

/** Workgroups that cover rows (x) and quads of columns (y). */
export function laneGrid(
  { OWN, LANES }: LaneTile,
  rows: number,
  columnQuads: number,
): readonly [number, number] {
  return LANES > 1
    ? [Math.ceil(rows / (OWN * LANES)), Math.ceil(columnQuads / LANES)]
    : [Math.ceil(rows / (OWN * THREADS)), columnQuads];
}
