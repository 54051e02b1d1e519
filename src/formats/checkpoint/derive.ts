/** Reads a model's configuration off the shapes of its tensors. */
import type { FamilyName, TextConfig, UnetConfig, VaeConfig } from "./config";
import type { ConfigHints } from "./hints";
import { TEXT2_PREFIX, TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX } from "./layout";
import type { Shapes } from "./shapes";

/** Heads of SD1, which every SD1 checkpoint uses at every width. */
const SD1_HEADS = 8;
/** Channels per head of SD2 and SDXL. */
const HEAD_CHANNELS = 64;
/** GroupNorm groups unless the file says otherwise. */
const NORM_GROUPS = 32;
/** Sinusoid channels per size number in SDXL's vector conditioning, unless the file says otherwise. */
const SIZE_EMBEDDING = 256;

const SCALING_FACTOR: Record<FamilyName, number> = { sd1: 0.18215, sd2: 0.18215, sdxl: 0.13025 };

/** @throws TensorFileError `missing-tensors` when a tensor that tells a size is absent. */
export function deriveUnet(shapes: Shapes, family: FamilyName, hints: ConfigHints): UnetConfig {
  const perLevel = firstDownsample(shapes);
  const levels = Math.ceil(shapes.count(`${UNET_PREFIX}input_blocks.`) / perLevel);
  const units = Array.from({ length: levels }, (_, i) => `input_blocks.${i * perLevel + 1}`);
  return {
    channels: units.map((unit) => shapes.dimension(`${UNET_PREFIX}${unit}.0.in_layers.2.weight`, 0)),
    ...heads(family, hints),
    contextDim: shapes.dimension(`${UNET_PREFIX}middle_block.1.transformer_blocks.0.attn2.to_k.weight`, 1),
    useLinearProjection: shapes.shape(`${UNET_PREFIX}middle_block.1.proj_in.weight`).length === 2,
    transformerDepth: units.map((unit) => shapes.count(`${UNET_PREFIX}${unit}.1.transformer_blocks.`)),
    transformerDepthMiddle: shapes.count(`${UNET_PREFIX}middle_block.1.transformer_blocks.`),
    inChannels: shapes.dimension(`${UNET_PREFIX}input_blocks.0.0.weight`, 1),
    outChannels: shapes.dimension(`${UNET_PREFIX}out.2.weight`, 0),
    resBlocks: perLevel - 1,
    normGroups: hints.unet?.norm_groups ?? NORM_GROUPS,
    ...vectorConditioning(shapes, hints),
  };
}

/** Index of the first downsampler = residual blocks per level + 1 = input blocks per level. */
function firstDownsample(shapes: Shapes): number {
  const blocks = shapes.count(`${UNET_PREFIX}input_blocks.`);
  for (let i = 2; i < blocks; i++) if (shapes.has(`${UNET_PREFIX}input_blocks.${i}.0.op.weight`)) return i;
  shapes.shape(`${UNET_PREFIX}input_blocks.3.0.op.weight`); // absent: says so
  return 3;
}

function heads(family: FamilyName, hints: ConfigHints): Pick<UnetConfig, "numHeads" | "numHeadChannels"> {
  const { num_heads: numHeads, num_head_channels: numHeadChannels } = hints.unet ?? {};
  if (numHeads !== undefined) return { numHeads };
  if (numHeadChannels !== undefined) return { numHeadChannels };
  return family === "sd1" ? { numHeads: SD1_HEADS } : { numHeadChannels: HEAD_CHANNELS };
}

function vectorConditioning(
  shapes: Shapes,
  hints: ConfigHints,
): Pick<UnetConfig, "admInChannels" | "sizeEmbeddingDim"> {
  const key = `${UNET_PREFIX}label_emb.0.0.weight`;
  if (!shapes.has(key)) return {};
  return {
    admInChannels: shapes.dimension(key, 1),
    sizeEmbeddingDim: hints.unet?.size_embedding_dim ?? SIZE_EMBEDDING,
  };
}

/** @throws TensorFileError `missing-tensors` */
export function deriveVae(shapes: Shapes, family: FamilyName, hints: ConfigHints): VaeConfig {
  const ch = shapes.dimension(`${VAE_PREFIX}encoder.conv_in.weight`, 0);
  const levels = shapes.count(`${VAE_PREFIX}encoder.down.`);
  const width = (i: number) => shapes.dimension(`${VAE_PREFIX}encoder.down.${i}.block.0.conv1.weight`, 0);
  return {
    ch,
    chMult: Array.from({ length: levels }, (_, i) => width(i) / ch),
    resBlocks: shapes.count(`${VAE_PREFIX}encoder.down.0.block.`),
    normGroups: hints.vae?.norm_groups ?? NORM_GROUPS,
    scalingFactor: hints.vae?.scaling_factor ?? SCALING_FACTOR[family],
    latentChannels: shapes.dimension(`${VAE_PREFIX}post_quant_conv.weight`, 0),
  };
}

/** The (first) text encoder of a family. @throws TensorFileError `missing-tensors` */
export function deriveText(shapes: Shapes, family: FamilyName, hints: ConfigHints): TextConfig {
  const prefix = TEXT_PREFIX[family];
  return family === "sd2" ? openClip(shapes, prefix, hints.text) : clip(shapes, prefix, hints.text);
}

/** SDXL's second encoder. @throws TensorFileError `missing-tensors` */
export function deriveText2(shapes: Shapes, hints: ConfigHints): TextConfig {
  return openClip(shapes, TEXT2_PREFIX, hints.text2);
}

function clip(shapes: Shapes, prefix: string, hints: ConfigHints["text"]): TextConfig {
  const hidden = shapes.dimension(`${prefix}text_model.embeddings.token_embedding.weight`, 1);
  return {
    hidden,
    layers: shapes.count(`${prefix}text_model.encoder.layers.`),
    heads: hints?.heads ?? hidden / HEAD_CHANNELS,
    intermediate: shapes.dimension(`${prefix}text_model.encoder.layers.0.mlp.fc1.weight`, 0),
    activation: hints?.activation ?? "quick_gelu",
    vocab: shapes.dimension(`${prefix}text_model.embeddings.token_embedding.weight`, 0),
    positions: shapes.dimension(`${prefix}text_model.embeddings.position_embedding.weight`, 0),
    layout: "clip",
  };
}

function openClip(shapes: Shapes, prefix: string, hints: ConfigHints["text"]): TextConfig {
  const hidden = shapes.dimension(`${prefix}token_embedding.weight`, 1);
  const projection = `${prefix}text_projection`;
  return {
    hidden,
    layers: shapes.count(`${prefix}transformer.resblocks.`),
    heads: hints?.heads ?? hidden / HEAD_CHANNELS,
    intermediate: shapes.dimension(`${prefix}transformer.resblocks.0.mlp.c_fc.weight`, 0),
    activation: hints?.activation ?? "gelu",
    vocab: shapes.dimension(`${prefix}token_embedding.weight`, 0),
    positions: shapes.dimension(`${prefix}positional_embedding`, 0),
    layout: "open-clip",
    ...(shapes.has(projection) ? { projection: shapes.dimension(projection, 1) } : {}),
  };
}
