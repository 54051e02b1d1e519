/**
 * GroupNorm with frozen scale and shift, optionally followed by SiLU: one node for the statistics, kept for the
 * backward pass, and one cheap node that applies them.
 *
 * x is [images, ..., C]; everything between the first and the last dimension counts as rows (pixels).
 */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { groupNormApply } from "../kernels/groupNormApply";
import { groupNormBackward } from "../kernels/groupNormBackward";
import { groupNormBackwardMeansShared } from "../kernels/groupNormBackwardMeansShared";
import { groupNormBackwardMerge } from "../kernels/groupNormBackwardMerge";
import { groupNormBackwardMergeShared } from "../kernels/groupNormBackwardMergeShared";
import { groupNormBackwardPartial } from "../kernels/groupNormBackwardPartial";
import { groupNormMerge } from "../kernels/groupNormMerge";
import { groupNormMergeShared } from "../kernels/groupNormMergeShared";
import { groupNormPartial } from "../kernels/groupNormPartial";
import { groupNormStatsShared } from "../kernels/groupNormStatsShared";
import { defineOp, required, type Emitter, type GradientBuilder, type GraphNode, type Inputs } from "../op";
import type { KernelPolicy } from "../policy";
import { channels, dimension, elementCount, type ActivationType, type Tensor } from "../tensor";
import { chunkCall, cut, reductionChunks, rowsOf, type Chunks } from "./rowChunks";
import { activationTypeOf, first, flatGroups } from "./support";

export interface GroupNormOptions {
  /** [C] */
  readonly gamma: Tensor;
  /** [C] */
  readonly beta: Tensor;
  /** Default 32; must divide C. */
  readonly groups?: number;
  /** Default 1e-5. */
  readonly eps?: number;
  /** Follow with SiLU; default false. */
  readonly silu?: boolean;
}

export interface GroupNormAttributes {
  readonly groups: number;
  readonly silu: boolean;
  readonly type: ActivationType;
}

export interface GroupNormStatsAttributes {
  readonly groups: number;
  readonly eps: number;
}

const STATS_FLOPS_PER_ELEMENT = 5;
const APPLY_FLOPS_PER_ELEMENT = 8;
const BACKWARD_FLOPS_PER_ELEMENT = 24;

/** Adds group normalisation (and SiLU) of x to the graph; gives the shape of x. */
export function groupNorm(g: GraphBuilder, name: string, x: Tensor, options: GroupNormOptions): Tensor {
  const { gamma, beta, groups = 32, eps = 1e-5, silu = false } = options;
  const stats = g.single(groupNormStatsOp, `${name}/statistics`, { x }, { groups, eps });
  return g.single(
    groupNormApplyOp,
    name,
    { x, stats, gamma, beta },
    { groups, silu, type: g.activationType },
  );
}

/** Input x; output [images, 2·groups rounded up to quads]: mean and 1/√(variance + eps) of each group. */
export const groupNormStatsOp = defineOp<GroupNormStatsAttributes>({
  name: "groupNormStats",
  outputs: (inputs, { groups }) => {
    const x = required({ name: "groupNormStats", inputs }, "x");
    invariant(channels(x) % groups === 0, () => `groupNorm: ${channels(x)} channels in ${groups} groups`);
    return [{ shape: [dimension(x, 0), statStride(groups)], type: "f32" }];
  },
  lower: (node, emit) => {
    const x = required(node, "x");
    if (emit.policy.sharedMemory && rowsOf(x) <= SINGLE_PASS_ROWS) return lowerSinglePass(node, emit);
    const chunks = reductionChunks(x);
    const partial = emit.scratch([chunks.images * chunks.chunks, 2, channels(x)]);
    emit.call({
      kernel: groupNormPartial,
      tensors: { x, partial },
      ...chunkCall(chunks),
      flops: STATS_FLOPS_PER_ELEMENT * elementCount(x.shape),
    });
    emit.call({
      kernel: emit.policy.sharedMemory ? groupNormMergeShared : groupNormMerge,
      tensors: { partial, stats: first(node.outputs) },
      ...mergeCall(emit.policy, chunks, node.attributes.groups, {
        chunkRows: chunks.chunkRows,
        eps: node.attributes.eps,
      }),
    });
  },
  cost: (node) => ({
    kind: "other",
    flops: STATS_FLOPS_PER_ELEMENT * elementCount(required(node, "x").shape),
  }),
});

/** Up to here one workgroup per group is quicker than a second dispatch. */
const SINGLE_PASS_ROWS = 1024;

function lowerSinglePass(node: GraphNode<GroupNormStatsAttributes>, emit: Emitter): void {
  const x = required(node, "x");
  const { groups, eps } = node.attributes;
  const sizes = { groups, groupWidth: channels(x) / groups, channels: channels(x), rows: rowsOf(x) };
  emit.call({
    kernel: groupNormStatsShared,
    tensors: { x, stats: first(node.outputs) },
    parameters: { ...sizes, statStride: statStride(groups), eps },
    workgroups: flatGroups(dimension(x, 0) * groups, 1),
    flops: STATS_FLOPS_PER_ELEMENT * elementCount(x.shape),
  });
}

/** Inputs x, stats, gamma, beta. Its rule covers the whole derivative, through the statistics too. */
export const groupNormApplyOp = defineOp<GroupNormAttributes>({
  name: "groupNormApply",
  cheap: true,
  outputs: (inputs, { type }) => {
    const x = required({ name: "groupNormApply", inputs }, "x");
    invariant(
      channels(required({ name: "groupNormApply", inputs }, "gamma")) === channels(x),
      () => `groupNorm of [${x.shape.join()}]: scale does not fit`,
    );
    return [{ shape: x.shape, type }];
  },
  lower: (node, emit) => {
    const x = required(node, "x");
    emit.call({
      kernel: groupNormApply,
      tensors: { ...node.inputs, y: first(node.outputs) },
      ...applyCall(x, node.attributes),
      flops: APPLY_FLOPS_PER_ELEMENT * elementCount(x.shape),
    });
  },
  cost: (node) => ({
    kind: "other",
    flops: APPLY_FLOPS_PER_ELEMENT * elementCount(first(node.outputs).shape),
  }),
  vjp: (node, [gradient], builder) => {
    if (gradient) contributeToInput(node, gradient, builder);
  },
});

function contributeToInput(node: GraphNode<GroupNormAttributes>, g: Tensor, builder: GradientBuilder): void {
  const x = required(node, "x");
  builder.contribute(x, (soFar) => {
    const inputs = {
      x: builder.value(x),
      g,
      stats: builder.value(required(node, "stats")),
      gamma: required(node, "gamma"),
      beta: required(node, "beta"),
      ...(soFar && { soFar }),
    };
    return first(
      builder.node(groupNormBackwardOp, node.name, inputs, { ...node.attributes, type: activationTypeOf(x) }),
    );
  });
}

/** Inputs x, g, stats, gamma, beta, soFar?; output the gradient of x. */
export const groupNormBackwardOp = defineOp<GroupNormAttributes>({
  name: "groupNormBackward",
  outputs: (inputs, { type }) => [
    { shape: required({ name: "groupNormBackward", inputs }, "x").shape, type },
  ],
  lower: lowerBackward,
  cost: (node) => ({
    kind: "other",
    flops: BACKWARD_FLOPS_PER_ELEMENT * elementCount(first(node.outputs).shape),
  }),
});

function lowerBackward(node: GraphNode<GroupNormAttributes>, emit: Emitter): void {
  const x = required(node, "x");
  const { soFar, ...inputs } = node.inputs;
  const means = emit.scratch([dimension(x, 0), statStride(node.attributes.groups)]);
  if (emit.policy.sharedMemory && rowsOf(x) <= SINGLE_PASS_ROWS) emitMeans(node, emit, inputs, means);
  else emitChunkedMeans(node, emit, inputs, means);
  emit.call({
    kernel: groupNormBackward,
    tensors: { ...inputs, means, ...(soFar && { soFar }), dx: first(node.outputs) },
    ...applyCall(x, node.attributes),
    flops: (BACKWARD_FLOPS_PER_ELEMENT / 2) * elementCount(x.shape),
  });
}

function emitMeans(node: GraphNode<GroupNormAttributes>, emit: Emitter, inputs: Inputs, means: Tensor): void {
  const x = required(node, "x");
  const { groups, silu } = node.attributes;
  const sizes = { groups, groupWidth: channels(x) / groups, channels: channels(x), rows: rowsOf(x) };
  emit.call({
    kernel: groupNormBackwardMeansShared,
    tensors: { ...inputs, means },
    constants: { SILU: silu },
    parameters: { ...sizes, statStride: statStride(groups) },
    workgroups: flatGroups(dimension(x, 0) * groups, 1),
    flops: (BACKWARD_FLOPS_PER_ELEMENT / 2) * elementCount(x.shape),
  });
}

function emitChunkedMeans(
  node: GraphNode<GroupNormAttributes>,
  emit: Emitter,
  inputs: Inputs,
  means: Tensor,
): void {
  const x = required(node, "x");
  const { groups, silu } = node.attributes;
  const chunks = reductionChunks(x);
  const partial = emit.scratch([chunks.images * chunks.chunks, 2, channels(x)]);
  const { parameters, workgroups } = chunkCall(chunks);
  emit.call({
    kernel: groupNormBackwardPartial,
    tensors: { ...inputs, partial },
    constants: { SILU: silu },
    parameters: { ...parameters, ...groupParameters(x, groups) },
    workgroups,
    flops: (BACKWARD_FLOPS_PER_ELEMENT / 2) * elementCount(x.shape),
  });
  emit.call({
    kernel: emit.policy.sharedMemory ? groupNormBackwardMergeShared : groupNormBackwardMerge,
    tensors: { partial, means },
    ...mergeCall(emit.policy, chunks, groups, {}),
  });
}

/** Threads of a workgroup of the merge kernels that take one thread per group. */
const MERGE_THREADS = 16;

function mergeCall(
  { sharedMemory }: KernelPolicy,
  { images, rows, width, chunks }: Chunks,
  groups: number,
  extra: Readonly<Record<string, number>>,
) {
  const count = images * groups;
  const channelCount = 4 * width;
  const sizes = { count, groups, groupWidth: channelCount / groups, channels: channelCount, rows, chunks };
  return {
    parameters: { ...sizes, statStride: statStride(groups), ...extra },
    workgroups: flatGroups(count, sharedMemory ? 1 : MERGE_THREADS),
  };
}

/** Rows per thread where each row is on its own: more rows fetch the group's numbers less often. */
const APPLY_ROWS = 8;

function applyCall(x: Tensor, { groups, silu }: GroupNormAttributes) {
  const { parameters, workgroups } = chunkCall(cut(x, APPLY_ROWS));
  return {
    constants: { SILU: silu },
    parameters: { ...parameters, ...groupParameters(x, groups) },
    workgroups,
  };
}

function groupParameters(x: Tensor, groups: number) {
  return { groupWidth: channels(x) / groups, statStride: statStride(groups) };
}

/** Floats per image in a tensor of two numbers per group. */
function statStride(groups: number): number {
  return 4 * Math.ceil(groups / 2);
}
