/** Writes a checkpoint as a diffusers model folder, for tests of reading one. */
import { splitRows, transposeBytes } from "./tensorBytes";
import type { CheckpointConfig, TextConfig } from "../../src/formats/checkpoint/config";
import { TEXT2_PREFIX, TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX } from "../../src/formats/checkpoint/layout";
import { textModules } from "../../src/formats/checkpoint/textModules";
import { unetModules } from "../../src/formats/checkpoint/unetModules";
import { writeSafetensors, type TensorToWrite } from "../../src/formats/safetensors/write";

export interface WrittenFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface FolderOptions {
  /** Ending of the weight files, e.g. `.fp16`. */
  readonly variant?: string;
  /** Cuts the UNet into so many files. */
  readonly shards?: number;
}

type Source = ReadonlyMap<string, TensorToWrite>;

/** @param tensors by canonical (LDM) key */
export function diffusersFiles(
  config: CheckpointConfig,
  tensors: Source,
  { variant = "", shards = 1 }: FolderOptions = {},
): WrittenFile[] {
  const weights = (part: string, stem: string, list: TensorToWrite[]): WrittenFile[] => [
    { path: `${part}/${stem}${variant}.safetensors`, bytes: writeSafetensors(list, new Map()) },
  ];
  const unet = unetTensors(config, tensors);
  return [
    json("model_index.json", {
      _class_name: config.family === "sdxl" ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline",
    }),
    json("unet/config.json", unetConfig(config)),
    json("vae/config.json", {
      norm_num_groups: config.vae.normGroups,
      scaling_factor: config.vae.scalingFactor,
    }),
    json("scheduler/scheduler_config.json", {
      prediction_type: config.prediction === "v" ? "v_prediction" : "epsilon",
    }),
    json("text_encoder/config.json", textConfig(config.text)),
    ...(shards > 1 ? sharded(unet, shards, variant) : weights("unet", "diffusion_pytorch_model", unet)),
    ...weights("vae", "diffusion_pytorch_model", vaeTensors(config, tensors)),
    ...weights("text_encoder", "model", textTensors(config, tensors)),
    ...(config.text2
      ? [
          json("text_encoder_2/config.json", textConfig(config.text2)),
          ...weights("text_encoder_2", "model", openClipTensors(config.text2, TEXT2_PREFIX, tensors, 0)),
        ]
      : []),
  ];
}

function json(path: string, value: unknown): WrittenFile {
  return { path, bytes: new TextEncoder().encode(JSON.stringify(value, null, 2)) };
}

function unetConfig({ unet }: CheckpointConfig): unknown {
  return {
    attention_head_dim: unet.numHeads ?? unet.channels.map((width) => width / (unet.numHeadChannels ?? 1)),
    block_out_channels: unet.channels,
    norm_num_groups: unet.normGroups,
    addition_time_embed_dim: unet.sizeEmbeddingDim ?? null,
  };
}

function textConfig(text: TextConfig): unknown {
  return { num_attention_heads: text.heads, hidden_act: text.activation };
}

function renamed(tensors: Source, from: string, to: string): TensorToWrite[] {
  const tensor = tensors.get(from);
  return tensor ? [{ ...tensor, name: to }] : [];
}

function unetTensors({ unet }: CheckpointConfig, tensors: Source): TensorToWrite[] {
  return unetModules(unet).flatMap(({ ldm, diffusers }) =>
    ["weight", "bias"].flatMap((leaf) =>
      renamed(tensors, `${UNET_PREFIX}${ldm}.${leaf}`, `${diffusers}.${leaf}`),
    ),
  );
}

function sharded(list: readonly TensorToWrite[], count: number, variant: string): WrittenFile[] {
  const number = (n: number) => String(n).padStart(5, "0");
  return Array.from({ length: count }, (_, n) => ({
    path: `unet/diffusion_pytorch_model${variant}-${number(n + 1)}-of-${number(count)}.safetensors`,
    bytes: writeSafetensors(
      list.filter((__, index) => index % count === n),
      new Map(),
    ),
  }));
}

/** Written out rule by rule from what diffusers' own files contain, not from the reader's table. */
function vaeTensors({ vae }: CheckpointConfig, tensors: Source): TensorToWrite[] {
  const top = vae.chMult.length - 1;
  return [...tensors.values()]
    .filter(({ name }) => name.startsWith(VAE_PREFIX))
    .map((tensor) => {
      const parts = tensor.name.slice(VAE_PREFIX.length).split(".");
      const [side, place, level, unit, number, ...rest] = parts;
      const leaf = parts.at(-1) ?? "";
      const isAttention = place === "mid" && level === "attn_1";
      const name =
        place === "down" || place === "up"
          ? levelName(side ?? "", place, Number(level), top, unit ?? "", number ?? "", rest)
          : place === "mid"
            ? middleName(side ?? "", level ?? "", unit ?? "", number ?? "")
            : parts.join(".").replace("norm_out", "conv_norm_out");
      // diffusers has Linear layers where LDM has 1×1 convolutions.
      const shape =
        isAttention && leaf === "weight" ? tensor.shape.slice(0, unit === "norm" ? 1 : 2) : tensor.shape;
      return { ...tensor, name, shape };
    });
}

function levelName(
  side: string,
  way: "down" | "up",
  level: number,
  top: number,
  unit: string,
  number: string,
  rest: readonly string[],
): string {
  const block = `${side}.${way}_blocks.${way === "up" ? top - level : level}`;
  if (unit !== "block") return `${block}.${way}samplers.0.conv.${rest.join(".")}`;
  return `${block}.resnets.${number}.${rest.join(".").replace("nin_shortcut", "conv_shortcut")}`;
}

function middleName(side: string, unit: string, module: string, leaf: string): string {
  if (unit !== "attn_1") return `${side}.mid_block.resnets.${unit === "block_1" ? 0 : 1}.${module}.${leaf}`;
  const names: Record<string, string> = {
    norm: "group_norm",
    q: "to_q",
    k: "to_k",
    v: "to_v",
    proj_out: "to_out.0",
  };
  return `${side}.mid_block.attentions.0.${names[module] ?? module}.${leaf}`;
}

function textTensors(config: CheckpointConfig, tensors: Source): TensorToWrite[] {
  const prefix = TEXT_PREFIX[config.family];
  // diffusers leaves out SD2's last block, which nobody runs.
  if (config.text.layout === "open-clip") return openClipTensors(config.text, prefix, tensors, 1);
  return [...tensors.values()]
    .filter(({ name }) => name.startsWith(prefix))
    .map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
}

function openClipTensors(
  text: TextConfig,
  prefix: string,
  tensors: Source,
  dropped: number,
): TensorToWrite[] {
  const layers = text.layers - dropped;
  const linear = textModules({ ...text, layers }).flatMap(({ name, weight, firstRow, outFeatures }) =>
    ["weight", "bias"].flatMap((leaf) => {
      const key = prefix + weight.replace(/([._])weight$/, `$1${leaf}`);
      const [tensor] = renamed(tensors, key, `${name}.${leaf}`);
      if (!tensor) return [];
      return [firstRow === undefined ? tensor : splitRows(tensor, firstRow, outFeatures)];
    }),
  );
  const plain: [string, string][] = [
    ["token_embedding.weight", "text_model.embeddings.token_embedding.weight"],
    ["positional_embedding", "text_model.embeddings.position_embedding.weight"],
  ];
  for (const leaf of ["weight", "bias"]) {
    plain.push([`ln_final.${leaf}`, `text_model.final_layer_norm.${leaf}`]);
    for (let n = 0; n < layers; n++) {
      for (const norm of [1, 2])
        plain.push([
          `transformer.resblocks.${n}.ln_${norm}.${leaf}`,
          `text_model.encoder.layers.${n}.layer_norm${norm}.${leaf}`,
        ]);
    }
  }
  const projection = renamed(tensors, `${prefix}text_projection`, "text_projection.weight").map(
    transposeBytes,
  );
  return [
    ...plain.flatMap(([from, to]) => renamed(tensors, prefix + from, to)),
    ...linear,
    ...(dropped ? [] : projection),
  ];
}
