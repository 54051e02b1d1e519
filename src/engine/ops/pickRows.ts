/** One row of each sequence (the token that ends a text), and the scatter that is its gradient. */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { pickRows as pickKernel } from "../kernels/pickRows";
import { spreadRows as spreadKernel } from "../kernels/spreadRows";
import { defineOp, required } from "../op";
import { channels, dimension, elementCount, type ActivationType, type Tensor } from "../tensor";
import { activationTypeOf, first, flatGroups } from "./support";

interface PickAttributes {
  readonly type: ActivationType;
}

interface SpreadAttributes extends PickAttributes {
  readonly tokens: number;
}

/** Adds y[b] = x[b, at[b]] to the graph: x [B, T, C], at [B] (u32, beyond the end takes the last row); gives [B, C]. */
export function pickRows(g: GraphBuilder, name: string, x: Tensor, at: Tensor): Tensor {
  return g.single(pickRowsOp, name, { x, at }, { type: g.activationType });
}

export const pickRowsOp = defineOp<PickAttributes>({
  name: "pickRows",
  outputs: (inputs, { type }) => {
    const x = required({ name: "pickRows", inputs }, "x");
    const at = required({ name: "pickRows", inputs }, "at");
    invariant(
      x.shape.length === 3 && at.type === "u32" && elementCount(at.shape) === dimension(x, 0),
      () => `pickRows: [${at.shape.join()}] of [${x.shape.join()}]`,
    );
    return [{ shape: [dimension(x, 0), channels(x)], type }];
  },
  lower: (node, emit) => {
    const x = required(node, "x");
    const y = first(node.outputs);
    const count = elementCount(y.shape) / 4;
    emit.call({
      kernel: pickKernel,
      tensors: { x, at: required(node, "at"), y },
      parameters: { count, width: channels(x) / 4, tokens: dimension(x, 1) },
      workgroups: flatGroups(count),
    });
  },
  cost: () => ({ kind: "other", flops: 0 }),
  vjp: (node, [g], builder) => {
    const x = required(node, "x");
    if (!g) return;
    builder.contribute(x, (soFar) => {
      const inputs = { g, at: required(node, "at"), ...(soFar && { soFar }) };
      const attributes = { tokens: dimension(x, 1), type: activationTypeOf(x) };
      return first(builder.node(spreadRowsOp, node.name, inputs, attributes));
    });
  },
});

/** Inputs g [B, C], at [B], soFar? [B, T, C]; output soFar (or zero) with g added at the picked rows. */
export const spreadRowsOp = defineOp<SpreadAttributes>({
  name: "spreadRows",
  outputs: (inputs, { tokens, type }) => {
    const g = required({ name: "spreadRows", inputs }, "g");
    return [{ shape: [dimension(g, 0), tokens, channels(g)], type }];
  },
  lower: (node, emit) => {
    const dx = first(node.outputs);
    const count = elementCount(dx.shape) / 4;
    emit.call({
      kernel: spreadKernel,
      tensors: { ...node.inputs, dx },
      parameters: { count, width: channels(dx) / 4, tokens: node.attributes.tokens },
      workgroups: flatGroups(count),
    });
  },
  cost: () => ({ kind: "other", flops: 0 }),
});
