/**
 * Sums over the pixels of each image: the gradient of a vector that was added to every pixel. Only used on gradients.
 *
 * y_i = x_i + v  ⇒  ∂L/∂v = Σ_i ∂L/∂y_i
 */
import { invariant } from "../../base/errors";
import { imageSumMerge } from "../kernels/imageSumMerge";
import { imageSumPartial } from "../kernels/imageSumPartial";
import { defineOp, required, type GradientBuilder } from "../op";
import { channels, dimension, elementCount, type Tensor } from "../tensor";
import { chunkCall, reductionChunks } from "./rowChunks";
import { activationTypeOf, first, flatGroups } from "./support";

export interface ImageSumsAttributes {
  /** First column of the result that the sums belong to, and its width; multiples of four. */
  readonly offset: number;
  readonly width: number;
  readonly type: "f32" | "f16";
}

/** Contributes the gradient of columns `offset` … of a per-image vector, from the gradient of what it was added to. */
export function contributeImageSums(
  builder: GradientBuilder,
  name: string,
  vector: Tensor,
  gradient: Tensor,
  offset: number,
): void {
  builder.contribute(vector, (soFar) => {
    const inputs = { g: gradient, ...(soFar && { soFar }) };
    const attributes = { offset, width: channels(vector), type: activationTypeOf(vector) };
    return first(builder.node(imageSumsOp, `${name}.vector`, inputs, attributes));
  });
}

/** Inputs g [images, …, channels], soFar? [images, width]; output soFar (or zero) plus the sums at their columns. */
export const imageSumsOp = defineOp<ImageSumsAttributes>({
  name: "imageSums",
  outputs: (inputs, { offset, width, type }) => {
    const g = required({ name: "imageSums", inputs }, "g");
    invariant(
      offset % 4 === 0 && offset + channels(g) <= width,
      () => `imageSums: columns ${offset} + ${channels(g)} of ${width}`,
    );
    return [{ shape: [dimension(g, 0), width], type }];
  },
  lower: (node, emit) => {
    const g = required(node, "g");
    const y = first(node.outputs);
    const chunks = reductionChunks(g);
    const partial = emit.scratch([chunks.images * chunks.chunks, channels(g)]);
    emit.call({ kernel: imageSumPartial, tensors: { x: g, partial }, ...chunkCall(chunks) });
    const count = elementCount(y.shape) / 4;
    emit.call({
      kernel: imageSumMerge,
      tensors: { partial, soFar: node.inputs["soFar"], y },
      parameters: {
        count,
        total: channels(y) / 4,
        width: chunks.width,
        chunks: chunks.chunks,
        offset: node.attributes.offset / 4,
      },
      workgroups: flatGroups(count),
    });
  },
  cost: (node) => ({ kind: "other", flops: elementCount(required(node, "g").shape) }),
});
