/**
 * A diffusers model folder as a checkpoint: `model_index.json`, `unet/`, `vae/`, `text_encoder/` and, for SDXL,
 * `text_encoder_2/`, each with its weights in one file or in shards. Nothing is converted: keys are renamed, and what
 * the configuration files say that shapes cannot tell becomes the config that single files carry as metadata.
 */
import * as v from "valibot";
import { TensorFileError, quoted } from "../safetensors/errors";
import { readSafetensorsHeader } from "../safetensors/header";
import type { ByteSource } from "../safetensors/source";
import { beginsOf, concatenate, shifted, type Bundle } from "./bundle";
import type { FamilyName } from "./config";
import {
  canonicalClip,
  canonicalOpenClip,
  canonicalUnet,
  canonicalVae,
  type Tensors,
} from "./diffusersNames";
import type { CheckpointTensor } from "./tensor";

/** A file of a folder by its path inside it, with `/`. */
export interface FolderFile {
  readonly path: string;
  readonly source: ByteSource;
}

export type FolderPart = "unet" | "vae" | "text_encoder" | "text_encoder_2";

const PARTS: readonly FolderPart[] = ["unet", "vae", "text_encoder", "text_encoder_2"];
const CALLED: Record<FolderPart, string> = {
  unet: "UNet",
  vae: "VAE",
  text_encoder: "text encoder",
  text_encoder_2: "second text encoder",
};
/** Config files are a page long; more is not looked at. */
const MAX_CONFIG_BYTES = 1 << 20;

/** Pipelines by the class that `model_index.json` names; the rest is refused by its name. */
const PIPELINES = new Set(["StableDiffusionPipeline", "StableDiffusionXLPipeline"]);
const OTHER_PIPELINES: readonly [RegExp, string][] = [
  [/inpaint/i, "an inpainting model"],
  [/XLImg2Img/, "the SDXL refiner, which only finishes pictures of the SDXL base model"],
  [/StableDiffusion3/, "a Stable Diffusion 3 model"],
  [/Flux/i, "a Flux model, whose LoRAs are of a different kind"],
  [/InstructPix2Pix/i, "an instruct-pix2pix model"],
  [/Depth2Img/i, "a depth-to-image model"],
];

/** Whether these paths look like a diffusers folder. */
export function isDiffusersFolder(paths: readonly string[]): boolean {
  return paths.some((path) => path === "model_index.json") && paths.some((path) => path.startsWith("unet/"));
}

/**
 * The files that are worth reading: configurations, and one variant of each part's weights (fp16 where there is one:
 * half the bytes, and the weights are made smaller than that anyway).
 * @throws TensorFileError when a part has no usable weights or a shard is missing
 */
export function filesOfFolder(paths: readonly string[], title: string): string[] {
  const weights = PARTS.flatMap((part) => weightsOf(part, paths, title));
  const configs = [
    "model_index.json",
    ...PARTS.map((part) => `${part}/config.json`),
    "scheduler/scheduler_config.json",
  ];
  return [...configs.filter((path) => paths.includes(path)), ...weights];
}

function weightsOf(part: FolderPart, paths: readonly string[], title: string): string[] {
  const inside = paths
    .filter((path) => path.startsWith(`${part}/`))
    .map((path) => path.slice(part.length + 1));
  if (inside.length === 0) return [];
  for (const variant of [".fp16", ""]) {
    const single = inside.find((name) => isWeights(name, variant));
    if (single) return [`${part}/${single}`];
    const shards = shardsOf(inside, variant);
    if (shards) return completeShards(shards, part, title).map((name) => `${part}/${name}`);
  }
  const pickled = inside.some((name) => /\.(bin|pt|ckpt)$/.test(name));
  throw new TensorFileError(
    pickled ? "not-safetensors" : "missing-tensors",
    `The ${CALLED[part]} of "${title}" ${pickled ? "is there as a pickle (.bin) only" : "has no .safetensors file"}.`,
    pickled
      ? "Loading a pickle runs code that its author put inside, so Weft never opens one. Look for a version with .safetensors files."
      : "Download the whole folder again.",
  );
}

const STEM = "(?:diffusion_pytorch_)?model";

function isWeights(name: string, variant: string): boolean {
  return new RegExp(`^${STEM}${variant.replace(".", "\\.")}\\.safetensors$`).test(name);
}

interface Shards {
  /** By number from 1. */
  readonly names: ReadonlyMap<number, string>;
  readonly count: number;
}

function shardsOf(names: readonly string[], variant: string): Shards | undefined {
  const pattern = new RegExp(`^${STEM}${variant.replace(".", "\\.")}-(\\d{5})-of-(\\d{5})\\.safetensors$`);
  const found = new Map<number, string>();
  let count = 0;
  for (const name of names) {
    const [, number, of] = pattern.exec(name) ?? [];
    if (number === undefined || of === undefined) continue;
    found.set(Number(number), name);
    count = Math.max(count, Number(of));
  }
  return count > 0 ? { names: found, count } : undefined;
}

function completeShards({ names, count }: Shards, part: FolderPart, title: string): string[] {
  return Array.from({ length: count }, (_, index) => {
    const name = names.get(index + 1);
    if (name !== undefined) return name;
    throw new TensorFileError(
      "missing-tensors",
      `Part ${index + 1} of ${count} of the ${CALLED[part]} of "${title}" is missing.`,
      "Download the whole folder again.",
    );
  });
}

/**
 * @param files what {@link filesOfFolder} chose
 * @throws TensorFileError when a part is missing, damaged or of another kind of model
 */
export async function diffusersFolder(title: string, files: readonly FolderFile[]): Promise<Bundle> {
  const configs = await readConfigs(files);
  refuseOtherPipelines(configs.index, title);
  const weights = files.filter(({ path }) => path.endsWith(".safetensors"));
  const sources = weights.map(({ source }) => source);
  const begins = beginsOf(sources);
  const headers = await Promise.all(sources.map(readSafetensorsHeader));
  const partTensors = (part: FolderPart): Tensors =>
    shifted(
      weights.flatMap(({ path }, index) => {
        const header = headers[index];
        return header && path.startsWith(`${part}/`)
          ? [{ header, begin: begins[index] ?? 0, file: path }]
          : [];
      }),
    );
  const tensors = canonicalTensors(partTensors, configs, title);
  return {
    title,
    source: concatenate(title, sources),
    files: weights.map(({ path, source }, index) => ({
      name: path,
      begin: begins[index] ?? 0,
      size: source.size,
    })),
    header: { tensors, metadata: new Map([["config", JSON.stringify(hintsOf(configs))]]), dataStart: 0 },
  };
}

function canonicalTensors(
  of: (part: FolderPart) => Tensors,
  configs: Configs,
  title: string,
): Map<string, CheckpointTensor> {
  const unet = of("unet");
  if (unet.size === 0) throw missingPart("unet", title);
  const family = familyOf(unet, of("text_encoder_2"));
  const text = of("text_encoder");
  const wanted: FolderPart[] = ["text_encoder", ...(family === "sdxl" ? ["text_encoder_2" as const] : [])];
  for (const part of wanted) if (of(part).size === 0) throw missingPart(part, title);
  const vae = of("vae");
  return new Map([
    ...canonicalUnet(unet, title),
    ...(vae.size > 0 ? canonicalVae(vae, title) : []),
    ...(family === "sd2"
      ? canonicalOpenClip(text, "sd2", title, configs.text !== undefined)
      : canonicalClip(text, family)),
    ...(family === "sdxl" ? canonicalOpenClip(of("text_encoder_2"), "sdxl", title, false) : []),
  ]);
}

function familyOf(unet: Tensors, text2: Tensors): FamilyName {
  if (unet.has("add_embedding.linear_1.weight") || text2.size > 0) return "sdxl";
  return unet.get("mid_block.attentions.0.proj_in.weight")?.shape.length === 2 ? "sd2" : "sd1";
}

function missingPart(part: FolderPart, title: string): TensorFileError {
  return new TensorFileError(
    "missing-tensors",
    `"${title}" contains no ${CALLED[part]}: the folder ${part}/ is missing.`,
    "Pick the folder that holds model_index.json, with everything inside it.",
  );
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65536));
const indexSchema = v.object({ _class_name: v.optional(v.string()) });
const unetSchema = v.object({
  attention_head_dim: v.optional(v.union([count, v.array(count)])),
  num_attention_heads: v.nullish(v.union([count, v.array(count)])),
  block_out_channels: v.optional(v.array(count)),
  norm_num_groups: v.optional(count),
  addition_time_embed_dim: v.nullish(count),
});
const textSchema = v.object({ num_attention_heads: v.optional(count), hidden_act: v.optional(v.string()) });
const vaeSchema = v.object({ norm_num_groups: v.optional(count), scaling_factor: v.optional(v.number()) });
const schedulerSchema = v.object({ prediction_type: v.optional(v.string()) });

interface Configs {
  index?: v.InferOutput<typeof indexSchema> | undefined;
  unet?: v.InferOutput<typeof unetSchema> | undefined;
  text?: v.InferOutput<typeof textSchema> | undefined;
  text2?: v.InferOutput<typeof textSchema> | undefined;
  vae?: v.InferOutput<typeof vaeSchema> | undefined;
  scheduler?: v.InferOutput<typeof schedulerSchema> | undefined;
}

async function readConfigs(files: readonly FolderFile[]): Promise<Configs> {
  const read = async <S extends v.GenericSchema>(path: string, schema: S) => {
    const file = files.find((one) => one.path === path);
    if (!file || file.source.size > MAX_CONFIG_BYTES) return undefined;
    const text = new TextDecoder().decode(await file.source.read(0, file.source.size));
    const parsed = v.safeParse(schema, parseJson(text));
    return parsed.success ? parsed.output : undefined;
  };
  const [index, unet, text, text2, vae, scheduler] = await Promise.all([
    read("model_index.json", indexSchema),
    read("unet/config.json", unetSchema),
    read("text_encoder/config.json", textSchema),
    read("text_encoder_2/config.json", textSchema),
    read("vae/config.json", vaeSchema),
    read("scheduler/scheduler_config.json", schedulerSchema),
  ]);
  return { index, unet, text, text2, vae, scheduler };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refuseOtherPipelines(index: Configs["index"], title: string): void {
  const { _class_name: name } = index ?? {};
  if (name === undefined || PIPELINES.has(name)) return;
  const known = OTHER_PIPELINES.find(([pattern]) => pattern.test(name));
  throw new TensorFileError(
    "wrong-base",
    `"${title}" is ${known?.[1] ?? `a model for the pipeline ${quoted(name)}`}.`,
    "Weft trains on Stable Diffusion 1.x, 2.x and SDXL base models.",
  );
}

/** What the files say that shapes cannot tell, in the form of `__metadata__.config`; see hints.ts. */
function hintsOf({ unet, text, text2, vae, scheduler }: Configs): unknown {
  const prediction = { epsilon: "epsilon", v_prediction: "v" }[scheduler?.prediction_type ?? ""];
  return {
    prediction,
    unet: {
      ...headsOf(unet),
      norm_groups: unet?.norm_num_groups,
      size_embedding_dim: unet?.addition_time_embed_dim ?? undefined,
    },
    text: textHints(text),
    text2: textHints(text2),
    vae: { norm_groups: vae?.norm_num_groups, scaling_factor: vae?.scaling_factor },
  };
}

/** diffusers' `attention_head_dim` counts heads, whatever its name says: one number, or one per level. */
function headsOf(unet: Configs["unet"]): { num_heads?: number; num_head_channels?: number } {
  const heads = unet?.num_attention_heads ?? unet?.attention_head_dim;
  if (heads === undefined) return {};
  if (typeof heads === "number") return { num_heads: heads };
  const widths = heads.map((each, level) => (unet?.block_out_channels?.[level] ?? 0) / each);
  const [width] = widths;
  return width !== undefined && width > 0 && widths.every((one) => one === width)
    ? { num_head_channels: width }
    : {};
}

function textHints(text: Configs["text"]): { heads?: number | undefined; activation?: string | undefined } {
  const activation =
    text?.hidden_act === "quick_gelu" || text?.hidden_act === "gelu" ? text.hidden_act : undefined;
  return { heads: text?.num_attention_heads, activation };
}
