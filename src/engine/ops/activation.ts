/** Elementwise activation functions: SiLU, GELU (erf form) and CLIP's quick GELU. */
import type { GraphBuilder } from "../graph";
import { activation as forwardKernel } from "../kernels/activation";
import { activationBackward as backwardKernel } from "../kernels/activationBackward";
import { defineOp, required, type GraphNode } from "../op";
import { elementCount, type ActivationType, type Tensor } from "../tensor";
import { activationTypeOf, first, flatGroups } from "./support";

export type ActivationKind = "silu" | "gelu" | "quick_gelu";

export interface ActivationAttributes {
  readonly kind: ActivationKind;
  readonly type: ActivationType;
}

/** Floating-point operations per element, roughly: an exponential, a division and a few products. */
const FLOPS_PER_ELEMENT = 8;

/** Adds f(x) to the graph; gives the shape of x. */
export function activation(g: GraphBuilder, name: string, x: Tensor, kind: ActivationKind): Tensor {
  return g.single(activationOp, name, { x }, { kind, type: g.activationType });
}

export const activationOp = defineOp<ActivationAttributes>({
  name: "activation",
  cheap: true,
  outputs: (inputs, { type }) => [{ shape: required({ name: "activation", inputs }, "x").shape, type }],
  lower: (node, emit) => {
    const y = first(node.outputs);
    const count = elementCount(y.shape) / 4;
    emit.call({
      kernel: forwardKernel,
      tensors: { x: required(node, "x"), y },
      constants: flags(node.attributes.kind),
      parameters: { count },
      workgroups: flatGroups(count),
      flops: flopsOf(node),
    });
  },
  cost: (node) => ({ kind: "other", flops: flopsOf(node) }),
  vjp: (node, [g], builder) => {
    const x = required(node, "x");
    if (!g) return;
    builder.contribute(x, (soFar) => {
      const inputs = { x: builder.value(x), g, ...(soFar && { soFar }) };
      return first(
        builder.node(activationBackwardOp, node.name, inputs, {
          ...node.attributes,
          type: activationTypeOf(x),
        }),
      );
    });
  },
});

/** Inputs x, g, soFar?; output g·f′(x) + soFar. */
export const activationBackwardOp = defineOp<ActivationAttributes>({
  name: "activationBackward",
  outputs: (inputs, { type }) => [
    { shape: required({ name: "activationBackward", inputs }, "x").shape, type },
  ],
  lower: (node, emit) => {
    const dx = first(node.outputs);
    const count = elementCount(dx.shape) / 4;
    emit.call({
      kernel: backwardKernel,
      tensors: { ...node.inputs, dx },
      constants: flags(node.attributes.kind),
      parameters: { count },
      workgroups: flatGroups(count),
      flops: flopsOf(node),
    });
  },
  cost: (node) => ({ kind: "other", flops: flopsOf(node) }),
});

function flags(kind: ActivationKind): Record<string, boolean> {
  return { SILU: kind === "silu", GELU: kind === "gelu", QUICK_GELU: kind === "quick_gelu" };
}

function flopsOf(node: GraphNode<ActivationAttributes>): number {
  return FLOPS_PER_ELEMENT * elementCount(first(node.outputs).shape);
}
