/** The inputs that tell the UNet of time, text and sizes. */
import type { GraphBuilder } from "../../engine/graph";
import type { CheckpointConfig } from "../../formats/checkpoint/config";
import type { ModelFamily, UnetOperands } from "../family";

type TimeAndSizes = Pick<UnetOperands, "timestepEmbedding" | "sizes">;

/** All of them, for a batch of texts of `tokens` tokens that are encoded already. */
export function declareConditions(
  graph: GraphBuilder,
  family: ModelFamily,
  config: CheckpointConfig,
  batch: number,
  tokens: number,
): Omit<UnetOperands, "latents"> {
  const pooledWidth = family.pooledWidth(config);
  return {
    ...declareTimeAndSizes(graph, family, config, batch),
    context: graph.input("context", [batch, tokens, config.unet.contextDim], graph.activationType),
    ...(pooledWidth > 0 && { pooled: graph.input("pooled", [batch, pooledWidth], graph.activationType) }),
  };
}

/** Those that do not come from a text. */
export function declareTimeAndSizes(
  graph: GraphBuilder,
  family: ModelFamily,
  config: CheckpointConfig,
  batch: number,
): TimeAndSizes {
  const type = graph.activationType;
  const sizesWidth = family.sizesWidth(config);
  return {
    timestepEmbedding: graph.input("timestepEmbedding", [batch, config.unet.channels[0] ?? 0], type),
    ...(sizesWidth > 0 && { sizes: graph.input("sizes", [batch, sizesWidth], type) }),
  };
}
