/**
 * What training and sampling may ask of a model, whatever its family. One folder under `models/` implements it; one
 * line in `models/index.ts` registers it.
 */
import type { GraphBuilder } from "../engine/graph";
import type { Tensor } from "../engine/tensor";
import type { CheckpointConfig, FamilyName } from "../formats/checkpoint/config";
import type { LoraBinding } from "./lora/binding";

export interface UnetOperands {
  /** Noisy latents `[batch, height, width, latentChannels]`. */
  readonly latents: Tensor;
  /** `[batch, channels[0]]`. */
  readonly timestepEmbedding: Tensor;
  /** `[batch, tokens, contextDim]`. */
  readonly context: Tensor;
}

export interface ModelFamily {
  readonly name: FamilyName;
  /** Picture edge in pixels the family was trained at. */
  readonly nativeSize: number;
  /** Text padding after the end of the prompt. */
  readonly padToken: "eos" | "zero";
  /** States of the text encoder(s) `[batch, tokens, contextDim]` from ids `[batch, 77]`. */
  readonly buildText: (
    graph: GraphBuilder,
    config: CheckpointConfig,
    ids: Tensor,
    options: { clipSkip: number; lora?: LoraBinding },
  ) => Tensor;
  /** The raw prediction, same shape as the latents. */
  readonly buildUnet: (
    graph: GraphBuilder,
    config: CheckpointConfig,
    operands: UnetOperands,
    lora?: LoraBinding,
  ) => Tensor;
  /** Moments `[batch, h/8, w/8, 2·latentChannels]` of a picture `[batch, h, w, 4]`. */
  readonly buildVaeEncoder: (graph: GraphBuilder, config: CheckpointConfig, image: Tensor) => Tensor;
  /** A picture `[batch, 8h, 8w, 4]` from latents already divided by the scaling factor. */
  readonly buildVaeDecoder: (graph: GraphBuilder, config: CheckpointConfig, latents: Tensor) => Tensor;
}
