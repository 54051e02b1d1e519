/**
 * What training and sampling may ask of a model, whatever its family. One folder under `models/` implements it; one
 * line in `models/index.ts` registers it.
 */
import type { GraphBuilder } from "../engine/graph";
import type { ActivationType, Tensor } from "../engine/tensor";
import type { CheckpointConfig, FamilyName } from "../formats/checkpoint/config";
import type { LoraBinding } from "./lora/binding";

/** What the text encoders read. */
export interface TextOperands {
  /** Token ids `[batch, 77]`, u32; one tensor per encoder of {@link ModelFamily.padTokens}. */
  readonly ids: readonly Tensor[];
  /** Position of the first end token in each row `[batch]`, u32; present where the family has a pooled state. */
  readonly ends?: Tensor;
}

/** What the UNet is told of a text. */
export interface TextStates {
  /** `[batch, tokens, contextDim]`. */
  readonly context: Tensor;
  /** One state for the whole text `[batch, width]`; present where {@link ModelFamily.pooledWidth} is not 0. */
  readonly pooled?: Tensor;
}

export interface UnetOperands extends TextStates {
  /** Noisy latents `[batch, height, width, latentChannels]`. */
  readonly latents: Tensor;
  /** `[batch, channels[0]]`. */
  readonly timestepEmbedding: Tensor;
  /** Embedded picture sizes `[batch, width]`; present where {@link ModelFamily.sizesWidth} is not 0. */
  readonly sizes?: Tensor;
}

export interface TextOptions {
  /** States of which layer: 1 = the last one, 2 = the last but one. A family with its own rule takes no notice. */
  readonly clipSkip: number;
  readonly lora?: LoraBinding;
}

export interface ModelFamily {
  readonly name: FamilyName;
  /** Picture edge in pixels the family was trained at. */
  readonly nativeSize: (config: CheckpointConfig) => number;
  /** Text padding after the end of the prompt, one per text encoder. */
  readonly padTokens: readonly ("eos" | "zero")[];
  /** The clip skip the family was made for; absent where people choose it. */
  readonly fixedClipSkip?: number;
  /** Width of the pooled text state and of the embedded sizes; 0 where the UNet reads neither. */
  readonly pooledWidth: (config: CheckpointConfig) => number;
  readonly sizesWidth: (config: CheckpointConfig) => number;
  /** Whether the web UI replaces an empty negative prompt by zeros. */
  readonly zeroEmptyNegative: boolean;
  /** Storage of the VAE's activations where halves would overflow; absent: that of the rest. */
  readonly vaeActivations?: ActivationType;
  readonly buildText: (
    graph: GraphBuilder,
    config: CheckpointConfig,
    text: TextOperands,
    options: TextOptions,
  ) => TextStates;
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
