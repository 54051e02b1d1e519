/** GEGLU: [..., 2C] holds values then gates; y = value · gelu(gate), the erf form as in diffusers and kohya. */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { geglu as forwardKernel } from "../kernels/geglu";
import { gegluBackward as backwardKernel } from "../kernels/gegluBackward";
import { defineOp, required } from "../op";
import { channels, elementCount, type ActivationType, type Tensor } from "../tensor";
import { activationTypeOf, first, flatGroups } from "./support";

export interface GegluAttributes {
  readonly type: ActivationType;
}

const FLOPS_PER_ELEMENT = 12;

/** Adds geglu of x [..., 2C] to the graph; gives [..., C]. */
export function geglu(g: GraphBuilder, name: string, x: Tensor): Tensor {
  return g.single(gegluOp, name, { x }, { type: g.activationType });
}

export const gegluOp = defineOp<GegluAttributes>({
  name: "geglu",
  cheap: true,
  outputs: (inputs, { type }) => {
    const x = required({ name: "geglu", inputs }, "x");
    invariant(
      channels(x) % 8 === 0,
      () => `geglu of [${x.shape.join()}]: half the width is not a multiple of 4`,
    );
    return [{ shape: [...x.shape.slice(0, -1), channels(x) / 2], type }];
  },
  lower: (node, emit) => {
    const y = first(node.outputs);
    const count = elementCount(y.shape) / 4;
    emit.call({
      kernel: forwardKernel,
      tensors: { x: required(node, "x"), y },
      parameters: { count, width: channels(y) / 4 },
      workgroups: flatGroups(count),
      flops: FLOPS_PER_ELEMENT * 4 * count,
    });
  },
  cost: (node) => ({ kind: "other", flops: FLOPS_PER_ELEMENT * elementCount(first(node.outputs).shape) }),
  vjp: (node, [g], builder) => {
    const x = required(node, "x");
    if (!g) return;
    builder.contribute(x, (soFar) => {
      const inputs = { x: builder.value(x), g, ...(soFar && { soFar }) };
      return first(builder.node(gegluBackwardOp, node.name, inputs, { type: activationTypeOf(x) }));
    });
  },
});

/** Inputs x, g, soFar?; output the gradient of x. */
export const gegluBackwardOp = defineOp<GegluAttributes>({
  name: "gegluBackward",
  outputs: (inputs, { type }) => [{ shape: required({ name: "gegluBackward", inputs }, "x").shape, type }],
  lower: (node, emit) => {
    const g = required(node, "g");
    const count = elementCount(g.shape) / 4;
    emit.call({
      kernel: backwardKernel,
      tensors: { ...node.inputs, dx: first(node.outputs) },
      parameters: { count, width: channels(g) / 4 },
      workgroups: flatGroups(count),
      flops: 2 * FLOPS_PER_ELEMENT * 4 * count,
    });
  },
  cost: (node) => ({ kind: "other", flops: 2 * FLOPS_PER_ELEMENT * elementCount(required(node, "g").shape) }),
});
