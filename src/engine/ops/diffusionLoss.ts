/**
 * The training loss: mean squared error between the prediction and its target (noise or velocity), per image, weighted. A mask
 * multiplies the squared errors; as in sd-scripts (`apply_masked_loss`) the mean is still over all elements.
 * It is a root: its gradient rule starts the backward pass with d(mean over the batch of the weighted losses).
 */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { diffusionLoss as mergeKernel } from "../kernels/diffusionLoss";
import { diffusionLossGradient as gradientKernel } from "../kernels/diffusionLossGradient";
import { diffusionLossPartial as partialKernel } from "../kernels/diffusionLossPartial";
import { defineOp, required, type GraphNode } from "../op";
import { STEP_SCALARS } from "../stepScalars";
import { dimension, elementCount, type Tensor } from "../tensor";
import { activationTypeOf, first, flatGroups } from "./support";

export interface DiffusionLossAttributes {
  readonly target: "epsilon" | "v";
}

export interface DiffusionLossOperands {
  /** `[B, H, W, C]` */
  readonly prediction: Tensor;
  readonly latents: Tensor;
  readonly noise: Tensor;
  /** `[B, 4]`: √ᾱ, √(1−ᾱ), loss weight, 0 */
  readonly coefficients: Tensor;
  /** `[B, H, W]`, 0…1: how much each latent pixel counts. Only for four channels. */
  readonly mask?: Tensor | undefined;
}

/** Partial sums per image: enough threads for a GPU, few enough to add up in order. */
const SLICES = 64;

/** @returns `[B, 4]`: weighted loss, unweighted loss, 0, 0 */
export function diffusionLoss(
  g: GraphBuilder,
  name: string,
  operands: DiffusionLossOperands,
  target: "epsilon" | "v",
): Tensor {
  const { prediction, latents, noise, coefficients, mask } = operands;
  invariant(!mask || dimension(prediction, 3) === 4, "a mask has one value for each group of four elements");
  const inputs = { prediction, x0: latents, noise, coefficients, ...(mask && { mask }) };
  return g.single(diffusionLossOp, name, inputs, { target });
}

export const diffusionLossOp = defineOp<DiffusionLossAttributes>({
  name: "diffusionLoss",
  outputs: (inputs) => [
    { shape: [dimension(required({ name: "diffusionLoss", inputs }, "prediction"), 0), 4], type: "f32" },
  ],
  lower: (node, emit) => {
    const { images, elements, perImage } = sizes(node);
    const partial = emit.scratch([images, SLICES]);
    const coefficients = required(node, "coefficients");
    emit.call({
      kernel: partialKernel,
      constants: { V_PREDICTION: node.attributes.target === "v" },
      tensors: { ...operands(node), partial },
      parameters: { slices: SLICES, perImage },
      workgroups: [1, images, 1],
    });
    emit.call({
      kernel: mergeKernel,
      tensors: { partial, coefficients, losses: first(node.outputs) },
      parameters: { images, slices: SLICES, elements },
      workgroups: flatGroups(images),
    });
  },
  cost: (node) => ({ kind: "other", flops: 3 * elementCount(required(node, "prediction").shape) }),
  vjp: (node, _gradients, builder) => {
    const prediction = required(node, "prediction");
    builder.contribute(prediction, () =>
      first(
        builder.node(
          diffusionLossGradientOp,
          node.name,
          { ...node.inputs, prediction: builder.value(prediction), scalars: builder.scalars },
          node.attributes,
        ),
      ),
    );
  },
});

/** Inputs prediction, x0, noise, coefficients, scalars; output: d loss / d prediction, times the loss scale. */
export const diffusionLossGradientOp = defineOp<DiffusionLossAttributes>({
  name: "diffusionLossGradient",
  outputs: (inputs) => {
    const prediction = required({ name: "diffusionLossGradient", inputs }, "prediction");
    return [{ shape: prediction.shape, type: activationTypeOf(prediction) }];
  },
  lower: (node, emit) => {
    const { images, elements, perImage } = sizes(node);
    const count = images * perImage;
    emit.call({
      kernel: gradientKernel,
      constants: { V_PREDICTION: node.attributes.target === "v" },
      tensors: { ...operands(node), scalars: required(node, "scalars"), y: first(node.outputs) },
      parameters: { count, perImage, scale: 2 / (elements * images), lossScaleIndex: STEP_SCALARS.lossScale },
      workgroups: flatGroups(count),
    });
  },
  cost: (node) => ({ kind: "other", flops: 3 * elementCount(first(node.outputs).shape) }),
});

type LossNode = GraphNode<DiffusionLossAttributes>;

function operands(
  node: LossNode,
): Record<"prediction" | "x0" | "noise" | "coefficients", Tensor> & { mask?: Tensor } {
  const { mask } = node.inputs;
  return {
    ...(mask && { mask }),
    prediction: required(node, "prediction"),
    x0: required(node, "x0"),
    noise: required(node, "noise"),
    coefficients: required(node, "coefficients"),
  };
}

function sizes(node: LossNode): { images: number; elements: number; perImage: number } {
  const { shape } = required(node, "prediction");
  const images = shape[0] ?? 0;
  const elements = elementCount(shape) / images;
  return { images, elements, perImage: elements / 4 };
}
