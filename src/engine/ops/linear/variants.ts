/** Which kernel computes a matmul of a given shape, and how its contraction is split. */
import type { KernelDefinition } from "../../kernels/kernel";
import { laneConstants, laneGrid, laneTile, type LaneTile } from "../../kernels/laneTile";
import { linearMerge } from "../../kernels/linearMerge";
import type { Emitter, Inputs, KernelCall } from "../../op";
import type { KernelPolicy } from "../../policy";
import { channels, dimension, rows, type Tensor } from "../../tensor";
import { flatGroups } from "../support";

export interface MatmulShape {
  readonly M: number;
  /** Length of the sums, without a LoRA's. */
  readonly contraction: number;
  /** Columns of the result, in `parts` blocks. */
  readonly columns: number;
  readonly parts: number;
}

export interface MatmulKernels {
  /** Without workgroup memory. */
  readonly lanes: (tile: LaneTile) => KernelDefinition;
  /** With it. */
  readonly tiled: KernelDefinition;
}

export interface MatmulVariant extends Pick<KernelCall, "kernel" | "constants" | "workgroups"> {
  /** Uniform fields that depend on the variant. */
  readonly parameters: { readonly tileRows: number; readonly sliceQuads: number };
  /** Above 1 the kernel writes partial sums [slices, M, columns] that `linearMerge` adds up. */
  readonly slices: number;
}

/** Rows and columns of a tile in workgroup memory. */
const TILE = 64;
/** Below this many rows or columns most of a tile would be empty. */
const TILED_EXTENT = 32;
/** Fewer workgroups than this leave most GPUs idle: the contraction is split until there are as many. */
const BUSY_WORKGROUPS = 32;
/** Shorter slices spend their time on partial sums. */
const MIN_SLICE = 128;

export function matmulVariant(
  policy: KernelPolicy,
  shape: MatmulShape,
  kernels: MatmulKernels,
): MatmulVariant {
  const wide = shape.columns / shape.parts >= TILED_EXTENT && shape.M >= TILED_EXTENT;
  return policy.sharedMemory && wide ? tiledVariant(shape, kernels) : laneVariant(policy, shape, kernels);
}

function laneVariant(
  policy: KernelPolicy,
  { M, columns, parts, contraction }: MatmulShape,
  kernels: MatmulKernels,
): MatmulVariant {
  const partQuads = columns / parts / 4;
  const tile = laneTile(policy, partQuads);
  const [rowGroups, columnGroups] = laneGrid(tile, M, partQuads);
  return {
    kernel: kernels.lanes(tile),
    constants: laneConstants(tile),
    workgroups: [rowGroups, parts * columnGroups, 1],
    parameters: { tileRows: tile.OWN * tile.LANES, sliceQuads: contraction / 4 },
    slices: 1,
  };
}

function tiledVariant(
  { M, columns, parts, contraction }: MatmulShape,
  kernels: MatmulKernels,
): MatmulVariant {
  const x = parts * Math.ceil(columns / parts / TILE);
  const y = Math.ceil(M / TILE);
  const wanted = Math.min(Math.ceil(BUSY_WORKGROUPS / (x * y)), Math.floor(contraction / MIN_SLICE));
  // Whole steps of 16; rounding up may leave fewer slices than wanted.
  const slice = 16 * Math.ceil(contraction / Math.max(1, wanted) / 16);
  const slices = Math.ceil(contraction / slice);
  return {
    kernel: kernels.tiled,
    constants: { SPLIT: slices > 1 },
    workgroups: [x, y, slices],
    parameters: { tileRows: TILE, sliceQuads: slice / 4 },
    slices,
  };
}

/** What a matmul adds at the end. */
export interface MatmulEpilogue {
  readonly bias?: Tensor | undefined;
  readonly rowVector?: Tensor | undefined;
  readonly residual?: Tensor | undefined;
}

export interface MatmulCall extends Pick<KernelCall, "parameters" | "flops" | "label"> {
  /** By binding name. */
  readonly operands: Inputs;
  readonly epilogue: MatmulEpilogue;
  readonly result: { readonly y: Tensor } | { readonly dx: Tensor };
}

/** Emits the matmul and, when it is split, the merge of its slices. */
export function emitMatmul(emit: Emitter, variant: MatmulVariant, call: MatmulCall): void {
  const { operands, epilogue, flops, label } = call;
  const { kernel, constants, workgroups, slices } = variant;
  const common = {
    kernel,
    constants,
    workgroups,
    parameters: { ...call.parameters, ...variant.parameters },
    flops,
    label,
  };
  const isForward = "y" in call.result;
  const result = isForward ? call.result.y : call.result.dx;
  const resultAs = (tensor: Tensor): Inputs => (isForward ? { y: tensor } : { dx: tensor });
  if (slices === 1) {
    const added = isForward ? { ...epilogue } : { soFar: epilogue.residual };
    emit.call({ ...common, tensors: { ...operands, ...added, ...resultAs(result) } });
    return;
  }
  const partial = emit.scratch([slices, rows(result), channels(result)]);
  emit.call({ ...common, tensors: { ...operands, ...resultAs(partial) } });
  emitMerge(emit, partial, { epilogue, result, label });
}

function emitMerge(
  emit: Emitter,
  partial: Tensor,
  { epilogue, result, label }: { epilogue: MatmulEpilogue; result: Tensor; label: string },
): void {
  const M = rows(result);
  const n4 = channels(result) / 4;
  const slices = dimension(partial, 0);
  emit.call({
    kernel: linearMerge,
    tensors: { partial, ...epilogue, y: result },
    parameters: { M, n4, slices, ...rowVectorParameters(epilogue.rowVector, M) },
    workgroups: flatGroups(M * n4),
    flops: 4 * slices * M * n4,
    label: `${label}.merge`,
  });
}

/** Uniform fields that place a per-image vector. */
export function rowVectorParameters(
  rowVector: Tensor | undefined,
  M: number,
): { readonly rowsPerImage: number; readonly rowStride: number } {
  return rowVector
    ? { rowsPerImage: M / rows(rowVector), rowStride: channels(rowVector) / 4 }
    : { rowsPerImage: 1, rowStride: 0 };
}
