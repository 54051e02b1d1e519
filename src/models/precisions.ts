/** How much precision each tensor of a checkpoint keeps when it is quantised: what the family's own graphs ask for. */
import { GraphBuilder } from "../engine/graph";
import type { WeightPrecision } from "../engine/tensor";
import type { CheckpointConfig } from "../formats/checkpoint/config";
import { familyNamed } from "./index";
import { declareConditions } from "./inputs/conditions";
import { declareText } from "./inputs/text";

/** Latent edge of the graphs; shapes do not matter here, every level must have a pixel. */
const EDGE = 8;
const TOKENS = 77;

/** By checkpoint key; a tensor that is not in the map has no say of its own. Needs no GPU, takes a moment. */
export function weightPrecisions(config: CheckpointConfig): Map<string, WeightPrecision> {
  const family = familyNamed(config.family);
  const graph = new GraphBuilder({ activationType: "f16" });
  const { latentChannels } = config.vae;
  const latents = graph.input("latents", [1, EDGE, EDGE, latentChannels], "f16");
  const conditions = declareConditions(graph, family, config, 1, TOKENS);
  family.buildUnet(graph, config, { latents, ...conditions });
  family.buildText(graph, config, declareText(graph, family, config, 1), { clipSkip: 1 });
  family.buildVaeEncoder(graph, config, graph.input("image", [1, 8 * EDGE, 8 * EDGE, 4], "f16"));
  family.buildVaeDecoder(graph, config, graph.input("decoded", [1, EDGE, EDGE, latentChannels], "f16"));
  const precisions = new Map<string, WeightPrecision>();
  for (const { weight } of graph.weights) {
    if (weight?.precision === undefined) continue;
    for (const key of weight.keys) precisions.set(key, weight.precision);
  }
  return precisions;
}
