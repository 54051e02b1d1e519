/**
 * What a base model is made of: everything a model builder must know, and nothing about bytes.
 * Numbers come from tensor shapes wherever shapes can tell (see derive.ts); the rest comes from the file's
 * `__metadata__.config` when it has one, else from the rules of its family.
 */

export type FamilyName = "sd1" | "sd2" | "sdxl";

/** What the UNet predicts: the noise, or the velocity v = sqrt(ac)*noise - sqrt(1-ac)*latents. */
export type PredictionName = "epsilon" | "v";

export interface UnetConfig {
  /** Channels of each level, finest first, e.g. [320, 640, 1280, 1280]. */
  channels: number[];
  /** Attention heads per block, the same everywhere (SD1). Exactly one of the two head fields is present. */
  numHeads?: number;
  /** Channels per attention head, the same everywhere (SD2, SDXL). */
  numHeadChannels?: number;
  /** Width of the text states that cross-attention reads. */
  contextDim: number;
  /** Whether proj_in / proj_out are Linear (SD2, SDXL) instead of 1x1 convolutions. */
  useLinearProjection: boolean;
  /** Transformer blocks per attention unit of each level; 0 = no attention at that level. */
  transformerDepth: number[];
  /** Transformer blocks in the middle. */
  transformerDepthMiddle: number;
  inChannels: number;
  outChannels: number;
  /** Residual blocks per level on the way down (one more on the way up). */
  resBlocks: number;
  normGroups: number;
  /** Length of the vector conditioning (SDXL's label_emb); absent elsewhere. */
  admInChannels?: number;
  /** Sinusoid channels per size number in the vector conditioning; present with admInChannels. */
  sizeEmbeddingDim?: number;
}

export interface TextConfig {
  hidden: number;
  /** Blocks in the file. SD2 and SDXL do not run the last ones; the model decides. */
  layers: number;
  heads: number;
  intermediate: number;
  activation: "quick_gelu" | "gelu";
  vocab: number;
  positions: number;
  /** Key layout: Hugging Face CLIP, or OpenCLIP with fused q/k/v. */
  layout: "clip" | "open-clip";
  /** Width of text_projection's output, where the file has one. */
  projection?: number;
}

export interface VaeConfig {
  ch: number;
  chMult: number[];
  /** Residual blocks per encoder level (the decoder has one more). */
  resBlocks: number;
  normGroups: number;
  /** Latents are the VAE's means times this. */
  scalingFactor: number;
  latentChannels: number;
}

export interface CheckpointConfig {
  family: FamilyName;
  prediction: PredictionName;
  unet: UnetConfig;
  text: TextConfig;
  /** SDXL's second encoder. */
  text2?: TextConfig;
  vae: VaeConfig;
}

/** The part of a checkpoint a tensor belongs to. */
export type PartName = "unet" | "vae" | "text" | "text2";
