/** The tensors of a diffusers model folder under the keys of a single-file (LDM) checkpoint. */
import type { SafetensorsHeader, TensorInfo } from "../safetensors/header";
import type { FamilyName, UnetConfig, VaeConfig } from "./config";
import { TEXT2_PREFIX, TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX } from "./layout";
import { Shapes } from "./shapes";
import type { CheckpointTensor } from "./tensor";
import { unetModules } from "./unetModules";
import { vaeModules } from "./vaeModules";

export type Tensors = ReadonlyMap<string, TensorInfo>;
type Renamed = Map<string, CheckpointTensor>;

/** @throws TensorFileError `missing-tensors` when a tensor that tells a size is absent */
export function canonicalUnet(tensors: Tensors, file: string): Renamed {
  const unet = diffusersUnet(new Shapes(asHeader(tensors), file));
  const renamed: Renamed = new Map();
  for (const { diffusers, ldm } of unetModules(unet)) {
    for (const leaf of ["weight", "bias"]) {
      move(tensors, `${diffusers}.${leaf}`, `${UNET_PREFIX}${ldm}.${leaf}`, renamed);
    }
  }
  return renamed;
}

/** Sizes read off diffusers keys; head counts do not matter for names. */
function diffusersUnet(shapes: Shapes): UnetConfig {
  const levels = Array.from({ length: shapes.count("down_blocks.") }, (_, i) => `down_blocks.${i}`);
  const adm = "add_embedding.linear_1.weight";
  return {
    channels: levels.map((level) => shapes.dimension(`${level}.resnets.0.conv1.weight`, 0)),
    numHeads: 1,
    contextDim: shapes.dimension("mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1),
    useLinearProjection: shapes.shape("mid_block.attentions.0.proj_in.weight").length === 2,
    transformerDepth: levels.map((level) => shapes.count(`${level}.attentions.0.transformer_blocks.`)),
    transformerDepthMiddle: shapes.count("mid_block.attentions.0.transformer_blocks."),
    inChannels: shapes.dimension("conv_in.weight", 1),
    outChannels: shapes.dimension("conv_out.weight", 0),
    resBlocks: shapes.count("down_blocks.0.resnets."),
    normGroups: 1,
    ...(shapes.has(adm) ? { admInChannels: shapes.dimension(adm, 1) } : {}),
  };
}

/** A VAE with diffusers keys. @throws TensorFileError `missing-tensors` */
export function canonicalVae(tensors: Tensors, file: string): Renamed {
  const shapes = new Shapes(asHeader(tensors), file);
  const levels = shapes.count("encoder.down_blocks.");
  const ch = shapes.dimension("encoder.conv_in.weight", 0);
  const width = (i: number) => shapes.dimension(`encoder.down_blocks.${i}.resnets.0.conv1.weight`, 0);
  const vae: VaeConfig = {
    ch,
    chMult: Array.from({ length: levels }, (_, i) => width(i) / ch),
    resBlocks: shapes.count("encoder.down_blocks.0.resnets."),
    normGroups: 1,
    scalingFactor: 1,
    latentChannels: shapes.dimension("post_quant_conv.weight", 0),
  };
  const renamed: Renamed = new Map();
  for (const { name } of vaeModules(vae)) {
    for (const candidate of diffusersVaeNames(name, levels)) {
      for (const leaf of ["weight", "bias"])
        move(tensors, `${candidate}.${leaf}`, `${VAE_PREFIX}${name}.${leaf}`, renamed);
    }
  }
  return renamed;
}

/** Attention had other names in diffusers before 0.15; such files are still around. */
const VAE_ATTENTION: Record<string, readonly string[]> = {
  norm: ["group_norm"],
  q: ["to_q", "query"],
  k: ["to_k", "key"],
  v: ["to_v", "value"],
  proj_out: ["to_out.0", "proj_attn"],
};

function diffusersVaeNames(ldm: string, levels: number): string[] {
  const attention = /^(\w+)\.mid\.attn_1\.(\w+)$/.exec(ldm);
  if (attention) {
    const [, side = "", leaf = ""] = attention;
    return (VAE_ATTENTION[leaf] ?? []).map((name) => `${side}.mid_block.attentions.0.${name}`);
  }
  const name = ldm
    .replace(/\.mid\.block_(\d)/, (_, n: string) => `.mid_block.resnets.${Number(n) - 1}`)
    .replace(/\.down\.(\d+)\.block\./, ".down_blocks.$1.resnets.")
    .replace(/\.down\.(\d+)\.downsample\./, ".down_blocks.$1.downsamplers.0.")
    .replace(/\.up\.(\d+)\.block\./, (_, n: string) => `.up_blocks.${levels - 1 - Number(n)}.resnets.`)
    .replace(
      /\.up\.(\d+)\.upsample\./,
      (_, n: string) => `.up_blocks.${levels - 1 - Number(n)}.upsamplers.0.`,
    )
    .replace(".nin_shortcut", ".conv_shortcut")
    .replace(".norm_out", ".conv_norm_out");
  return [name];
}

/** The text encoder of SD1 and the first of SDXL: only the prefix differs. */
export function canonicalClip(tensors: Tensors, family: FamilyName): Renamed {
  const renamed: Renamed = new Map();
  for (const key of tensors.keys()) move(tensors, key, TEXT_PREFIX[family] + key, renamed);
  return renamed;
}

/**
 * SD2's text encoder and the second of SDXL, in OpenCLIP's layout: q, k and v stacked, the projection transposed.
 * @param phantomLayer diffusers cuts off SD2's last block, which no program runs; the one before stands in, so that
 *   "all but the last" means the same as in a single file
 */
export function canonicalOpenClip(
  tensors: Tensors,
  family: "sd2" | "sdxl",
  file: string,
  phantomLayer: boolean,
): Renamed {
  const prefix = family === "sd2" ? TEXT_PREFIX.sd2 : TEXT2_PREFIX;
  const renamed: Renamed = new Map();
  const top = (from: string, to: string) => move(tensors, from, prefix + to, renamed);
  top("text_model.embeddings.token_embedding.weight", "token_embedding.weight");
  top("text_model.embeddings.position_embedding.weight", "positional_embedding");
  for (const leaf of ["weight", "bias"]) top(`text_model.final_layer_norm.${leaf}`, `ln_final.${leaf}`);
  const layers = new Shapes(asHeader(tensors), file).count("text_model.encoder.layers.");
  for (let n = 0; n < layers; n++) openClipLayer(tensors, n, n, prefix, renamed);
  if (phantomLayer && layers > 0) openClipLayer(tensors, layers - 1, layers, prefix, renamed);
  const projection = tensors.get("text_projection.weight");
  if (projection) {
    const shape = [...projection.shape].reverse();
    renamed.set(`${prefix}text_projection`, { ...projection, shape, transposed: true });
  }
  return renamed;
}

const OPEN_CLIP_LEAVES: readonly [clip: string, openClip: string][] = [
  ["layer_norm1", "ln_1"],
  ["layer_norm2", "ln_2"],
  ["self_attn.out_proj", "attn.out_proj"],
  ["mlp.fc1", "mlp.c_fc"],
  ["mlp.fc2", "mlp.c_proj"],
];

function openClipLayer(tensors: Tensors, from: number, to: number, prefix: string, renamed: Renamed): void {
  const clip = `text_model.encoder.layers.${from}.`;
  const block = `${prefix}transformer.resblocks.${to}.`;
  for (const leaf of ["weight", "bias"]) {
    for (const [a, b] of OPEN_CLIP_LEAVES)
      move(tensors, `${clip}${a}.${leaf}`, `${block}${b}.${leaf}`, renamed);
    const pieces = ["q", "k", "v"].flatMap(
      (one) => tensors.get(`${clip}self_attn.${one}_proj.${leaf}`) ?? [],
    );
    const [first] = pieces;
    // Shapes that do not stack are left out: the tensor is then reported as missing.
    const [, ...width] = first?.shape ?? [];
    const stackable =
      pieces.length === 3 &&
      pieces.every(({ dtype, shape }) => dtype === first?.dtype && shape.slice(1).join() === width.join());
    if (!first || !stackable) continue;
    const rows = pieces.reduce((total, { shape }) => total + (shape[0] ?? 0), 0);
    const name = `${block}attn.in_proj_${leaf}`;
    renamed.set(name, { name, dtype: first.dtype, shape: [rows, ...width], begin: 0, end: 0, pieces });
  }
}

function move(tensors: Tensors, from: string, to: string, renamed: Renamed): void {
  const info = tensors.get(from);
  if (info) renamed.set(to, info);
}

function asHeader(tensors: Tensors): SafetensorsHeader {
  return { tensors, metadata: new Map(), dataStart: 0 };
}
