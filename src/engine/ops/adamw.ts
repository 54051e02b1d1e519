/**
 * The optimizer step over the flat LoRA buffers: gradient norm, clipping, AdamW. Three dispatches per 128 MiB of
 * parameters, no readback; an update whose gradients are not finite is left out and reported.
 */
import type { GraphBuilder } from "../graph";
import { adamw as updateKernel } from "../kernels/adamw";
import { gradientNorm as normKernel } from "../kernels/gradientNorm";
import { gradientNormPartial as partialKernel } from "../kernels/gradientNormPartial";
import { defineOp, required, type Emitter, type GraphNode, type Inputs } from "../op";
import { STEP_SCALARS } from "../stepScalars";
import { elementCount, type Tensor } from "../tensor";
import { first, flatGroups } from "./support";

interface AdamwAttributes {
  /** Ranges of the flat buffers, each within one storage binding. */
  readonly ranges: number;
  /** Floats that belong to the text encoder, from the beginning. */
  readonly textEnd: number;
}

/** 128 MiB, the binding size every adapter allows. */
const RANGE_FLOATS = 2 ** 25;
/** Partial sums per range: enough threads for a GPU, few enough for one thread to add in order. */
const NORM_THREADS = 1024;

/**
 * Adds the update phase; call it after the backward pass, when all parameters are placed.
 * @param textEnd where the text encoder's parameters end in the flat buffers, in floats
 * @returns `[1, 4]`: gradient norm before clipping, 1 when the update was skipped, factor on the gradients, 0
 */
export function adamwUpdate(g: GraphBuilder, name: string, scalars: Tensor, textEnd: number): Tensor {
  const ranges = Math.ceil(g.parameters.length / RANGE_FLOATS);
  const inputs: Record<string, Tensor> = { scalars };
  for (let range = 0; range < ranges; range++) {
    const end = Math.min((range + 1) * RANGE_FLOATS, g.parameters.length);
    for (const role of ["parameter", "gradient", "moment1", "moment2"] as const)
      inputs[role + range] = g.flatRange(role, range * RANGE_FLOATS, end);
  }
  return g.single(adamwOp, name, inputs, { ranges, textEnd });
}

export const adamwOp = defineOp<AdamwAttributes>({
  name: "adamw",
  outputs: () => [{ shape: [1, 4], type: "f32" }],
  lower: (node, emit) => {
    const report = first(node.outputs);
    lowerNorm(node, emit, report);
    for (let range = 0; range < node.attributes.ranges; range++) lowerUpdate(node, emit, range, report);
  },
  cost: (node) => ({ kind: "other", flops: 15 * parameterCount(node.inputs, node.attributes.ranges) }),
});

function lowerNorm(node: GraphNode<AdamwAttributes>, emit: Emitter, report: Tensor): void {
  const { ranges } = node.attributes;
  const partial = emit.scratch([ranges * NORM_THREADS]);
  for (let range = 0; range < ranges; range++) {
    const gradient = required(node, `gradient${range}`);
    emit.call({
      kernel: partialKernel,
      tensors: { gradient, partial },
      parameters: {
        threads: NORM_THREADS,
        count: elementCount(gradient.shape) / 4,
        first: range * NORM_THREADS,
      },
      workgroups: flatGroups(NORM_THREADS),
    });
  }
  emit.call({
    kernel: normKernel,
    tensors: { partial, scalars: required(node, "scalars"), report },
    parameters: {
      count: ranges * NORM_THREADS,
      lossScaleIndex: STEP_SCALARS.lossScale,
      maxGradNormIndex: STEP_SCALARS.maxGradNorm,
    },
    workgroups: [1, 1, 1],
  });
}

function lowerUpdate(node: GraphNode<AdamwAttributes>, emit: Emitter, range: number, report: Tensor): void {
  const value = required(node, `parameter${range}`);
  const count = elementCount(value.shape) / 4;
  emit.call({
    kernel: updateKernel,
    tensors: {
      value,
      moment1: required(node, `moment1${range}`),
      moment2: required(node, `moment2${range}`),
      gradient: required(node, `gradient${range}`),
      report,
      scalars: required(node, "scalars"),
    },
    parameters: {
      count,
      textQuads: Math.max(0, Math.min(count, node.attributes.textEnd / 4 - (range * RANGE_FLOATS) / 4)),
    },
    workgroups: flatGroups(count),
  });
}

function parameterCount(inputs: Inputs, ranges: number): number {
  let count = 0;
  for (let range = 0; range < ranges; range++)
    count += elementCount(inputs[`parameter${range}`]?.shape ?? []);
  return count;
}
