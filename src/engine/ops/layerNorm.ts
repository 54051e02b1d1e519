/** LayerNorm over the last dimension with frozen scale and shift; the backward pass computes the statistics again. */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { layerNorm as forwardKernel } from "../kernels/layerNorm";
import { layerNormBackward as backwardKernel } from "../kernels/layerNormBackward";
import { layerNormBackwardShared } from "../kernels/layerNormBackwardShared";
import { layerNormShared } from "../kernels/layerNormShared";
import { defineOp, required } from "../op";
import { channels, elementCount, rows, type ActivationType, type Tensor } from "../tensor";
import { activationTypeOf, first, flatGroups } from "./support";

export interface LayerNormOptions {
  /** [C] */
  readonly gamma: Tensor;
  /** [C] */
  readonly beta: Tensor;
  /** Default 1e-5. */
  readonly eps?: number;
}

export interface LayerNormAttributes {
  readonly eps: number;
  readonly type: ActivationType;
}

const FLOPS_PER_ELEMENT = 8;
/** Rows per workgroup of the kernels with one thread per row. */
const ROWS = 16;

/** Adds the normalised x to the graph; gives the shape of x. */
export function layerNorm(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  { gamma, beta, eps = 1e-5 }: LayerNormOptions,
): Tensor {
  return g.single(layerNormOp, name, { x, gamma, beta }, { eps, type: g.activationType });
}

export const layerNormOp = defineOp<LayerNormAttributes>({
  name: "layerNorm",
  cheap: true,
  outputs: (inputs, { type }) => {
    const x = required({ name: "layerNorm", inputs }, "x");
    invariant(
      channels(required({ name: "layerNorm", inputs }, "gamma")) === channels(x),
      () => `layerNorm of [${x.shape.join()}]: scale does not fit`,
    );
    return [{ shape: x.shape, type }];
  },
  lower: (node, emit) => {
    const x = required(node, "x");
    emit.call({
      kernel: emit.policy.sharedMemory ? layerNormShared : forwardKernel,
      tensors: { ...node.inputs, y: first(node.outputs) },
      parameters: { count: rows(x), width: channels(x) / 4, eps: node.attributes.eps },
      workgroups: flatGroups(rows(x), emit.policy.sharedMemory ? 1 : ROWS),
      flops: FLOPS_PER_ELEMENT * elementCount(x.shape),
    });
  },
  cost: (node) => ({ kind: "other", flops: FLOPS_PER_ELEMENT * elementCount(first(node.outputs).shape) }),
  vjp: (node, [g], builder) => {
    const x = required(node, "x");
    if (!g) return;
    builder.contribute(x, (soFar) => {
      const inputs = { x: builder.value(x), g, gamma: required(node, "gamma"), ...(soFar && { soFar }) };
      return first(
        builder.node(layerNormBackwardOp, node.name, inputs, {
          ...node.attributes,
          type: activationTypeOf(x),
        }),
      );
    });
  },
});

/** Inputs x, g, gamma, soFar?; output the gradient of x. */
export const layerNormBackwardOp = defineOp<LayerNormAttributes>({
  name: "layerNormBackward",
  outputs: (inputs, { type }) => [
    { shape: required({ name: "layerNormBackward", inputs }, "x").shape, type },
  ],
  lower: (node, emit) => {
    const x = required(node, "x");
    emit.call({
      kernel: emit.policy.sharedMemory ? layerNormBackwardShared : backwardKernel,
      tensors: { ...node.inputs, dx: first(node.outputs) },
      parameters: { count: rows(x), width: channels(x) / 4, eps: node.attributes.eps },
      workgroups: flatGroups(rows(x), emit.policy.sharedMemory ? 1 : ROWS),
      flops: 2 * FLOPS_PER_ELEMENT * elementCount(x.shape),
    });
  },
  cost: (node) => ({ kind: "other", flops: 2 * FLOPS_PER_ELEMENT * elementCount(first(node.outputs).shape) }),
});
