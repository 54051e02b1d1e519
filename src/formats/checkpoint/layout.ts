/**
 * The tensors a checkpoint of a given configuration must contain: key and shape of every one of them.
 * Comparing a file with this list finds missing and wrongly shaped tensors before anything is loaded.
 */
import type { CheckpointConfig, PartName, TextConfig } from "./config";
import { textModules } from "./textModules";
import { unetModules, type ModuleKind } from "./unetModules";
import { vaeModules } from "./vaeModules";

export interface TensorSpec {
  readonly part: PartName;
  readonly shape: readonly number[];
  /** Part of the model in the file, but nothing here needs it. */
  readonly optional?: true;
}

export const UNET_PREFIX = "model.diffusion_model.";
export const VAE_PREFIX = "first_stage_model.";

/** Where a family keeps its text encoders. */
export const TEXT_PREFIX = {
  sd1: "cond_stage_model.transformer.",
  sd2: "cond_stage_model.model.",
  sdxl: "conditioner.embedders.0.transformer.",
} as const;
export const TEXT2_PREFIX = "conditioner.embedders.1.model.";

/** Every tensor of the model by checkpoint key. */
export function checkpointLayout(config: CheckpointConfig): Map<string, TensorSpec> {
  const specs = new Map<string, TensorSpec>();
  const unet = unetModules(config.unet).map((module) => ({ ...module, name: module.ldm }));
  addModules(specs, "unet", UNET_PREFIX, unet);
  addModules(specs, "vae", VAE_PREFIX, vaeModules(config.vae));
  addText(specs, "text", TEXT_PREFIX[config.family], config.text);
  if (config.text2) addText(specs, "text2", TEXT2_PREFIX, config.text2);
  return specs;
}

interface SizedModule {
  name: string;
  kind: ModuleKind;
  inFeatures: number;
  outFeatures: number;
  bias: boolean;
}

function addModules(
  specs: Map<string, TensorSpec>,
  part: PartName,
  prefix: string,
  modules: readonly SizedModule[],
): void {
  for (const module of modules) {
    specs.set(`${prefix}${module.name}.weight`, { part, shape: weightShape(module) });
    if (module.bias) specs.set(`${prefix}${module.name}.bias`, { part, shape: [module.outFeatures] });
  }
}

function weightShape({ kind, inFeatures, outFeatures }: SizedModule): number[] {
  if (kind === "norm") return [outFeatures];
  if (kind === "linear") return [outFeatures, inFeatures];
  const side = kind === "conv3x3" ? 3 : 1;
  return [outFeatures, inFeatures, side, side];
}

function addText(specs: Map<string, TensorSpec>, part: PartName, prefix: string, text: TextConfig): void {
  const put = (key: string, ...shape: number[]) => specs.set(prefix + key, { part, shape });
  const names = text.layout === "clip" ? CLIP_NAMES : OPEN_CLIP_NAMES;
  put(names.tokens, text.vocab, text.hidden);
  put(names.positions, text.positions, text.hidden);
  for (const suffix of ["weight", "bias"]) {
    put(`${names.finalNorm}.${suffix}`, text.hidden);
    for (let n = 0; n < text.layers; n++) {
      for (const norm of names.norms) put(`${names.block}.${n}.${norm}.${suffix}`, text.hidden);
    }
  }
  for (const { weight, firstRow, inFeatures, outFeatures } of textModules(text)) {
    const rows = firstRow === undefined ? outFeatures : outFeatures * 3;
    put(weight, rows, inFeatures);
    put(
      firstRow === undefined ? weight.replace(/weight$/, "bias") : weight.replace(/_weight$/, "_bias"),
      rows,
    );
  }
  if (text.layout === "open-clip") addOpenClipExtras(specs, part, prefix, text);
}

/** SD2 carries these along without using them; SDXL's pooled states need the projection. */
function addOpenClipExtras(
  specs: Map<string, TensorSpec>,
  part: PartName,
  prefix: string,
  text: TextConfig,
): void {
  specs.set(`${prefix}logit_scale`, { part, shape: [], optional: true });
  const projection = { part, shape: [text.hidden, text.projection ?? text.hidden] };
  specs.set(`${prefix}text_projection`, part === "text2" ? projection : { ...projection, optional: true });
}

const CLIP_NAMES = {
  tokens: "text_model.embeddings.token_embedding.weight",
  positions: "text_model.embeddings.position_embedding.weight",
  block: "text_model.encoder.layers",
  norms: ["layer_norm1", "layer_norm2"],
  finalNorm: "text_model.final_layer_norm",
};

const OPEN_CLIP_NAMES = {
  tokens: "token_embedding.weight",
  positions: "positional_embedding",
  block: "transformer.resblocks",
  norms: ["ln_1", "ln_2"],
  finalNorm: "ln_final",
};
