/**
 * Stable Diffusion XL base: two text encoders side by side, and a vector beside the time: the second encoder's pooled
 * state and the sizes of the picture. 1024-pixel pictures, noise prediction.
 *
 * Source: Podell et al. 2023, "SDXL: Improving Latent Diffusion Models for High-Resolution Image Synthesis".
 */
import { invariant } from "../../base/errors";
import { sizesWidth } from "../../diffusion/sizeEmbedding";
import type { GraphBuilder } from "../../engine/graph";
import { concat } from "../../engine/ops/concat";
import { pickRows } from "../../engine/ops/pickRows";
import { channels } from "../../engine/tensor";
import type { CheckpointConfig } from "../../formats/checkpoint/config";
import { TEXT2_PREFIX, TEXT_PREFIX } from "../../formats/checkpoint/layout";
import type { ModelFamily, TextOperands, TextOptions, TextStates, UnetOperands } from "../family";
import type { LoraBinding } from "../lora/binding";
import { idsOf } from "../sd/family";
import { TextEncoder } from "../sd/textEncoder";
import { unet } from "../sd/unet";
import { vaeDecoder, vaeEncoder } from "../sd/vae";

export const sdxl: ModelFamily = {
  name: "sdxl",
  nativeSize: () => 1024,
  padTokens: ["eos", "zero"],
  fixedClipSkip: 2,
  pooledWidth: (config) => secondEncoder(config).projection ?? secondEncoder(config).hidden,
  sizesWidth: ({ unet: { sizeEmbeddingDim = 0 } }) => sizesWidth(sizeEmbeddingDim),
  zeroEmptyNegative: true,
  // The published VAE's activations go beyond 65504.
  vaeActivations: "f32",
  buildText,
  buildUnet,
  buildVaeEncoder: (graph, { vae }, image) => vaeEncoder(graph, vae, image),
  buildVaeDecoder: (graph, { vae }, latents) => vaeDecoder(graph, vae, latents),
};

/**
 * Both encoders' last but one states, without a norm, side by side; the pooled state is the second encoder's last one at
 * the end of the text, normed and projected.
 */
function buildText(
  graph: GraphBuilder,
  config: CheckpointConfig,
  text: TextOperands,
  { lora }: TextOptions,
): TextStates {
  const second = secondEncoder(config);
  invariant(text.ends, "the pooled state needs the ends of the texts");
  const clip = new TextEncoder(graph, config.text, TEXT_PREFIX.sdxl, lora);
  const openClip = new TextEncoder(graph, second, TEXT2_PREFIX, lora);
  const a = clip.layers(clip.embed(idsOf(text, 0)), 0, config.text.layers - 1);
  const b = openClip.layers(openClip.embed(idsOf(text, 1)), 0, second.layers - 1);
  const last = openClip.finalNorm(openClip.layers(b, second.layers - 1, second.layers));
  return {
    context: concat(graph, "context", a, b),
    pooled: openClip.project(pickRows(graph, "end_of_text", last, text.ends)),
  };
}

function buildUnet(
  graph: GraphBuilder,
  config: CheckpointConfig,
  { pooled, sizes, ...operands }: UnetOperands,
  lora?: LoraBinding,
) {
  invariant(pooled && sizes, "the UNet needs the pooled text state and the sizes");
  const vector = concat(graph, "vector", pooled, sizes);
  const wanted = config.unet.admInChannels;
  invariant(
    channels(vector) === wanted,
    () => `vector conditioning of ${channels(vector)} instead of ${wanted} channels`,
  );
  return unet(graph, config.unet, { ...operands, vector }, lora);
}

function secondEncoder({ text2 }: CheckpointConfig) {
  invariant(text2, "the model has a second text encoder");
  return text2;
}
