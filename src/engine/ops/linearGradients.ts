/** The backward ops of `linear`: the input's gradient, the gradient at h = x·downᵀ, and the LoRA matrices' gradients. */
import { laneWorkgroup } from "../kernels/laneTile";
import { linearBackward } from "../kernels/linearBackward";
import { linearBackwardTiled } from "../kernels/linearBackwardTiled";
import { loraConstants, loraGradient, loraTile } from "../kernels/loraGradient";
import { loraGradientMerge } from "../kernels/loraGradientMerge";
import { defineOp, required, type Emitter, type GraphNode, type Inputs } from "../op";
import type { KernelPolicy } from "../policy";
import { channels, dimension, elementCount, rows, type ActivationType, type Tensor } from "../tensor";
import { emitMatmul, matmulVariant } from "./linear/variants";
import { first, flatGroups } from "./support";

export interface LinearBackwardAttributes {
  /** Shape and storage of the input whose gradient this is. */
  readonly shape: readonly number[];
  readonly type: ActivationType;
}

/** Inputs g, w, and optionally dh with down, soFar; output dx = g·w + dh·down + soFar. */
export const linearBackwardOp = defineOp<LinearBackwardAttributes>({
  name: "linearBackward",
  outputs: (_, { shape, type }) => [{ shape, type }],
  lower: lowerInputGradient,
  cost: (node) => {
    const g = required(node, "g");
    const K = channels(first(node.outputs));
    const { dh } = node.inputs;
    const flops = 2 * rows(g) * channels(g) * K;
    return dh
      ? { kind: "linear", flops, loraFlops: 2 * rows(g) * channels(dh) * K }
      : { kind: "linear", flops };
  },
});

function lowerInputGradient(node: GraphNode<LinearBackwardAttributes>, emit: Emitter): void {
  const { dh, down, soFar } = node.inputs;
  const operands = { g: required(node, "g"), w: required(node, "w"), dh, down };
  emitBackward(emit, {
    ...operands,
    soFar,
    dx: first(node.outputs),
    label: node.name,
    factors: { parts: 1, loraScale: 1 },
  });
}

interface BackwardCall {
  readonly g: Tensor;
  readonly w: Tensor;
  readonly dh?: Tensor | undefined;
  readonly down?: Tensor | undefined;
  readonly soFar?: Tensor | undefined;
  readonly dx: Tensor;
  readonly label: string;
  readonly factors: LoraAttributes;
}

/** dx = loraScale·g·w, block by block, + dh·down + soFar. */
function emitBackward(emit: Emitter, { g, w, dh, down, soFar, dx, label, factors }: BackwardCall): void {
  const { parts, loraScale } = factors;
  const M = rows(g);
  const contraction = channels(g) / parts;
  const columns = channels(dx);
  const rank = dh ? channels(dh) : 0;
  const shape = { M, contraction, columns, parts };
  // The tiled kernel knows no blocks of columns and no factor.
  const policy = parts === 1 && loraScale === 1 ? emit.policy : { ...emit.policy, sharedMemory: false };
  const variant = matmulVariant(policy, shape, { lanes: linearBackward, tiled: linearBackwardTiled });
  const parameters = {
    M,
    n4: contraction / 4,
    k4: columns / parts / 4,
    r4: rank / 4,
    parts,
    scale: loraScale,
  };
  const flops = 2 * M * columns * (contraction + rank);
  emitMatmul(emit, variant, {
    operands: { g, w, dh, down },
    epilogue: { residual: soFar },
    result: { dx },
    parameters,
    flops,
    label,
  });
}

export interface LoraAttributes {
  readonly loraScale: number;
  readonly parts: number;
}

/** Inputs g [..., N], up [N, r]; output dh [..., parts·r] = scale·g·up, part by part; f32. */
export const loraHiddenGradientOp = defineOp<LoraAttributes>({
  name: "loraHiddenGradient",
  outputs: (inputs, { parts }) => {
    const g = required({ name: "loraHiddenGradient", inputs }, "g");
    const up = required({ name: "loraHiddenGradient", inputs }, "up");
    return [{ shape: [...g.shape.slice(0, -1), parts * channels(up)], type: "f32" }];
  },
  // The rule of a linear layer whose weight is `up`, in blocks.
  lower: (node, emit) => {
    const tensors = { g: required(node, "g"), w: required(node, "up"), dx: first(node.outputs) };
    emitBackward(emit, { ...tensors, label: node.name, factors: node.attributes });
  },
  cost: (node) => {
    const g = required(node, "g");
    return { kind: "lora", flops: 2 * rows(g) * channels(g) * channels(required(node, "up")) };
  },
});

/** Inputs x, g, h, dh, scalars; writes the flat slices downGradient [parts·r, K] and upGradient [N, r]; no outputs. */
export const loraGradientOp = defineOp<LoraAttributes>({
  name: "loraGradient",
  outputs: () => [],
  lower: lowerLoraGradient,
  cost: (node) => ({ kind: "lora", flops: loraGradientFlops(node) }),
});

function lowerLoraGradient(node: GraphNode<LoraAttributes>, emit: Emitter): void {
  const { x, g, h, dh, scalars, downGradient, upGradient } = node.inputs;
  const slices = sliceCount(node, emit.policy);
  const gradients = { scalars, downGradient, upGradient };
  if (slices === 1) return emitLoraGradient(node, emit, { x, g, h, dh, ...gradients }, 1);
  const downQuads = elementCount(required(node, "downGradient").shape) / 4;
  const upQuads = elementCount(required(node, "upGradient").shape) / 4;
  const partial = emit.scratch([slices, 4 * (downQuads + upQuads)]);
  emitLoraGradient(node, emit, { x, g, h, dh, partial }, slices);
  emit.call({
    kernel: loraGradientMerge,
    tensors: { partial, ...gradients },
    parameters: { downQuads, upQuads, slices },
    workgroups: flatGroups(downQuads + upQuads),
    flops: 4 * slices * (downQuads + upQuads),
  });
}

function emitLoraGradient(
  node: GraphNode<LoraAttributes>,
  emit: Emitter,
  tensors: Inputs,
  slices: number,
): void {
  const x = required(node, "x");
  const { parts, loraScale } = node.attributes;
  const rank = channels(required(node, "h")) / parts;
  const k4 = channels(x) / 4;
  const partN4 = channels(required(node, "g")) / parts / 4;
  const tile = loraTile(emit.policy, rank);
  const constants = loraConstants(tile);
  const [threads] = laneWorkgroup(constants);
  emit.call({
    kernel: loraGradient(tile),
    tensors,
    constants,
    parameters: {
      M: rows(x),
      k4,
      partN4,
      r4: rank / 4,
      parts,
      sliceRows: Math.ceil(rows(x) / slices),
      loraScale,
    },
    workgroups: [
      Math.ceil(k4 / threads) + Math.ceil(partN4 / threads),
      (parts * rank) / 4 / tile.QUADS,
      slices,
    ],
    flops: loraGradientFlops(node),
  });
}

/** A GPU wants this many threads; fewer leave it waiting for memory. */
const GPU_THREADS = 16384;
/** Below this a second dispatch costs more than idle threads. */
const MIN_SLICED_ROWS = 2048;
const MIN_SLICE_ROWS = 64;

/** Slices of rows summed apart so that a GPU is busy: a choice by shape only, so every run adds in one order. */
function sliceCount(node: GraphNode<LoraAttributes>, policy: KernelPolicy): number {
  if (!policy.sharedMemory || rows(required(node, "x")) < MIN_SLICED_ROWS) return 1;
  const wide = channels(required(node, "x")) + channels(required(node, "g")) / node.attributes.parts;
  const threads = (wide * channels(required(node, "h"))) / 64;
  const wanted = Math.min(
    Math.ceil(GPU_THREADS / threads),
    Math.ceil(rows(required(node, "x")) / MIN_SLICE_ROWS),
  );
  return Math.max(1, wanted);
}

function loraGradientFlops(node: GraphNode<LoraAttributes>): number {
  const x = required(node, "x");
  return loraFactors(rows(x), channels(x), required(node, "upGradient"), node.attributes.parts);
}

/** Multiply-adds ×2 of both low-rank products over M rows: x·downᵀ and h·upᵀ, or their transposed twins. */
export function loraFactors(M: number, K: number, up: Tensor, parts: number): number {
  return 2 * M * channels(up) * (parts * K + dimension(up, 0));
}
