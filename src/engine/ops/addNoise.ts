/** x_t = √ᾱ·x0 + √(1−ᾱ)·ε (Ho et al. 2020, equation 4). Nothing here is trained, so it has no gradient. */
import type { GraphBuilder } from "../graph";
import { addNoise as kernel } from "../kernels/addNoise";
import { defineOp, required } from "../op";
import { dimension, elementCount, type ActivationType, type Tensor } from "../tensor";
import { first, flatGroups } from "./support";

export interface AddNoiseAttributes {
  readonly type: ActivationType;
}

/**
 * @param x0 clean latents `[B, H, W, C]`
 * @param noise same shape
 * @param coefficients `[B, 4]`: √ᾱ, √(1−ᾱ), loss weight, 0
 */
export function addNoise(
  g: GraphBuilder,
  name: string,
  x0: Tensor,
  noise: Tensor,
  coefficients: Tensor,
): Tensor {
  return g.single(addNoiseOp, name, { x0, noise, coefficients }, { type: g.activationType });
}

export const addNoiseOp = defineOp<AddNoiseAttributes>({
  name: "addNoise",
  outputs: (inputs, { type }) => [{ shape: required({ name: "addNoise", inputs }, "x0").shape, type }],
  lower: (node, emit) => {
    const x0 = required(node, "x0");
    const count = elementCount(x0.shape) / 4;
    emit.call({
      kernel,
      tensors: {
        x0,
        noise: required(node, "noise"),
        coefficients: required(node, "coefficients"),
        y: first(node.outputs),
      },
      parameters: { count, perImage: count / dimension(x0, 0) },
      workgroups: flatGroups(count),
    });
  },
  cost: (node) => ({ kind: "other", flops: 3 * elementCount(first(node.outputs).shape) }),
});
