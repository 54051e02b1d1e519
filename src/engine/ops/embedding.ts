/** Token embedding plus position embedding, as in CLIP's text encoder. Not differentiable: LoRA does not train it. */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { embedding as kernel } from "../kernels/embedding";
import { defineOp, required } from "../op";
import { channels, dimension, elementCount, type ActivationType, type Tensor } from "../tensor";
import { first, flatGroups } from "./support";

export interface EmbeddingAttributes {
  readonly type: ActivationType;
}

/** Adds table[ids] + position to the graph: ids [B, T] (u32), table [V, C] and position [≥ T, C] weights; gives [B, T, C]. */
export function embedding(
  g: GraphBuilder,
  name: string,
  ids: Tensor,
  table: Tensor,
  position: Tensor,
): Tensor {
  return g.single(embeddingOp, name, { ids, table, position }, { type: g.activationType });
}

export const embeddingOp = defineOp<EmbeddingAttributes>({
  name: "embedding",
  outputs: (inputs, { type }) => {
    const ids = required({ name: "embedding", inputs }, "ids");
    const table = required({ name: "embedding", inputs }, "table");
    const position = required({ name: "embedding", inputs }, "position");
    invariant(
      ids.type === "u32" && ids.shape.length === 2,
      () => `embedding: ids of shape [${ids.shape.join()}]`,
    );
    invariant(channels(position) === channels(table), "embedding: position and table differ in width");
    invariant(
      dimension(position, 0) >= dimension(ids, 1),
      () => `embedding: ${dimension(ids, 1)} tokens, ${dimension(position, 0)} positions`,
    );
    return [{ shape: [...ids.shape, channels(table)], type }];
  },
  lower: (node, emit) => {
    const ids = required(node, "ids");
    const table = required(node, "table");
    const y = first(node.outputs);
    const count = elementCount(y.shape) / 4;
    emit.call({
      kernel,
      tensors: { ids, table, position: required(node, "position"), y },
      parameters: { count, width: channels(table) / 4, rows: dimension(table, 0), tokens: dimension(ids, 1) },
      workgroups: flatGroups(count),
      flops: 4 * count,
    });
  },
  cost: (node) => ({ kind: "other", flops: elementCount(first(node.outputs).shape) }),
});
