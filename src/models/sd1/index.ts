/** Stable Diffusion 1.x: one CLIP text encoder, noise prediction, 512-pixel pictures. */
import type { ModelFamily } from "../family";
import { textEncoder } from "../sd/textEncoder";
import { unet } from "../sd/unet";
import { vaeDecoder, vaeEncoder } from "../sd/vae";

export const sd1: ModelFamily = {
  name: "sd1",
  nativeSize: 512,
  padToken: "eos",
  buildText: (graph, { text }, ids, options) =>
    textEncoder(graph, text, ids, { ...options, prefix: "cond_stage_model.transformer.text_model." }),
  buildUnet: (graph, config, operands, lora) => unet(graph, config.unet, operands, lora),
  buildVaeEncoder: (graph, { vae }, image) => vaeEncoder(graph, vae, image),
  buildVaeDecoder: (graph, { vae }, latents) => vaeDecoder(graph, vae, latents),
};
