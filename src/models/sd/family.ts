/** What the families of Stable Diffusion have in common: one text encoder's states, one UNet, one VAE. */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../../engine/graph";
import type { Tensor } from "../../engine/tensor";
import type { TextConfig } from "../../formats/checkpoint/config";
import type { ModelFamily, TextOperands, TextOptions } from "../family";
import { TextEncoder } from "./textEncoder";
import { unet } from "./unet";
import { vaeDecoder, vaeEncoder } from "./vae";

/** UNet and VAE as SD1 and SD2 have them: conditioned on text states and time only. */
export const plainParts = {
  pooledWidth: () => 0,
  sizesWidth: () => 0,
  zeroEmptyNegative: false,
  buildUnet: (graph, config, operands, lora) => unet(graph, config.unet, operands, lora),
  buildVaeEncoder: (graph, { vae }, image) => vaeEncoder(graph, vae, image),
  buildVaeDecoder: (graph, { vae }, latents) => vaeDecoder(graph, vae, latents),
} satisfies Partial<ModelFamily>;

/** States `[batch, 77, hidden]` of the layer that the clip skip names, through the final norm. */
export function normedStates(
  graph: GraphBuilder,
  config: TextConfig,
  prefix: string,
  text: TextOperands,
  { clipSkip, lora }: TextOptions,
): Tensor {
  const encoder = new TextEncoder(graph, config, prefix, lora);
  const layers = config.layers - (clipSkip - 1);
  invariant(layers >= 0, () => `clip skip ${clipSkip} of ${config.layers} layers`);
  return encoder.finalNorm(encoder.layers(encoder.embed(idsOf(text, 0)), 0, layers));
}

/** Token ids of one encoder. */
export function idsOf({ ids }: TextOperands, index: number): Tensor {
  const found = ids[index];
  invariant(found, () => `no token ids for text encoder ${index + 1}`);
  return found;
}
