/** The published full-size configuration of each family, for plans and key lists made without a file. */
import type { CheckpointConfig, FamilyName, TextConfig, UnetConfig, VaeConfig } from "./config";

const UNET = { inChannels: 4, outChannels: 4, resBlocks: 2, normGroups: 32 };

const VAE: VaeConfig = {
  ch: 128,
  chMult: [1, 2, 4, 4],
  resBlocks: 2,
  normGroups: 32,
  scalingFactor: 0.18215,
  latentChannels: 4,
};

const CLIP_L: TextConfig = {
  hidden: 768,
  layers: 12,
  heads: 12,
  intermediate: 3072,
  activation: "quick_gelu",
  vocab: 49408,
  positions: 77,
  layout: "clip",
};

const OPEN_CLIP_H: TextConfig = {
  hidden: 1024,
  layers: 24,
  heads: 16,
  intermediate: 4096,
  activation: "gelu",
  vocab: 49408,
  positions: 77,
  layout: "open-clip",
  projection: 1024,
};

const OPEN_CLIP_BIG_G: TextConfig = {
  ...OPEN_CLIP_H,
  hidden: 1280,
  layers: 32,
  heads: 20,
  intermediate: 5120,
  projection: 1280,
};

const SD1_UNET: UnetConfig = {
  ...UNET,
  channels: [320, 640, 1280, 1280],
  numHeads: 8,
  contextDim: 768,
  useLinearProjection: false,
  transformerDepth: [1, 1, 1, 0],
  transformerDepthMiddle: 1,
};

const SDXL_UNET: UnetConfig = {
  ...UNET,
  channels: [320, 640, 1280],
  numHeadChannels: 64,
  contextDim: 2048,
  useLinearProjection: true,
  transformerDepth: [0, 2, 10],
  transformerDepthMiddle: 10,
  admInChannels: 2816,
  sizeEmbeddingDim: 256,
};

function sd2Unet(): UnetConfig {
  const { numHeads: _, ...rest } = SD1_UNET;
  return { ...rest, numHeadChannels: 64, contextDim: 1024, useLinearProjection: true };
}

/** A fresh copy of the family's published configuration (SD2: the 768-pixel v-prediction model). */
export function fullSizeConfig(family: FamilyName): CheckpointConfig {
  const configs: Record<FamilyName, CheckpointConfig> = {
    sd1: { family, prediction: "epsilon", unet: SD1_UNET, text: CLIP_L, vae: VAE },
    sd2: { family, prediction: "v", unet: sd2Unet(), text: OPEN_CLIP_H, vae: VAE },
    sdxl: {
      family,
      prediction: "epsilon",
      unet: SDXL_UNET,
      text: CLIP_L,
      text2: OPEN_CLIP_BIG_G,
      vae: { ...VAE, scalingFactor: 0.13025 },
    },
  };
  return structuredClone(configs[family]);
}
