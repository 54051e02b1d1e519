/** y = a + b, same shapes. The gradient passes through to both. */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { add as kernel } from "../kernels/add";
import { defineOp, required, type GradientBuilder } from "../op";
import { elementCount, type ActivationType, type Tensor } from "../tensor";
import { activationTypeOf, first, flatGroups } from "./support";

export interface AddAttributes {
  readonly type: ActivationType;
}

/** Adds a + b to the graph; gives the shape of a. */
export function add(g: GraphBuilder, name: string, a: Tensor, b: Tensor): Tensor {
  return g.single(addOp, name, { a, b }, { type: g.activationType });
}

/** Contributes a gradient that passes through unchanged (residuals): adds only where something was collected before. */
export function contributeSame(
  builder: GradientBuilder,
  name: string,
  target: Tensor,
  gradient: Tensor,
): void {
  builder.contribute(target, (soFar) =>
    soFar
      ? first(
          builder.node(addOp, `${name}/sum`, { a: soFar, b: gradient }, { type: activationTypeOf(target) }),
        )
      : gradient,
  );
}

export const addOp = defineOp<AddAttributes>({
  name: "add",
  outputs: (inputs, { type }) => {
    const a = required({ name: "add", inputs }, "a");
    const b = required({ name: "add", inputs }, "b");
    invariant(
      elementCount(a.shape) === elementCount(b.shape),
      () => `add: [${a.shape.join()}] + [${b.shape.join()}]`,
    );
    return [{ shape: a.shape, type }];
  },
  lower: (node, emit) => {
    const y = first(node.outputs);
    const count = elementCount(y.shape) / 4;
    emit.call({
      kernel,
      tensors: { a: required(node, "a"), b: required(node, "b"), y },
      parameters: { count },
      workgroups: flatGroups(count),
      flops: 4 * count,
    });
  },
  cost: (node) => ({ kind: "other", flops: elementCount(first(node.outputs).shape) }),
  vjp: (node, [gradient], builder) => {
    if (!gradient) return;
    contributeSame(builder, `${node.name}.a`, required(node, "a"), gradient);
    contributeSame(builder, `${node.name}.b`, required(node, "b"), gradient);
  },
});
