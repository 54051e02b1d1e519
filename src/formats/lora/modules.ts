/**
 * The modules a LoRA can sit on: kohya's names, the checkpoint tensors behind them and the shapes of their LoRA.
 *
 * Names are `{prefix}_{module path with "." as "_"}`. The path is diffusers' for the UNet of SD1 and SD2, the
 * checkpoint's own for SDXL, and Hugging Face CLIP's for every text encoder.
 */
import type { CheckpointConfig, FamilyName, TextConfig } from "../checkpoint/config";
import { TEXT2_PREFIX, TEXT_PREFIX, UNET_PREFIX } from "../checkpoint/layout";
import { textModules } from "../checkpoint/textModules";
import { unetModules, type BlockKind, type ModuleKind, type UnetModule } from "../checkpoint/unetModules";

export type LoraPart = "unet" | "te" | "te1" | "te2";

/** A weight of the base model that LoRA files can name. */
export interface LoraTarget {
  /** kohya's module name, e.g. `lora_unet_mid_block_attentions_0_proj_in`. */
  readonly name: string;
  readonly part: LoraPart;
  /** Checkpoint key of the weight. */
  readonly checkpointKey: string;
  /** Checkpoint key of the bias, where there is one. */
  readonly biasKey?: string;
  /** First row of this weight inside a stacked tensor (OpenCLIP's q, k, v); absent when it is the whole tensor. */
  readonly firstRow?: number;
  /**
   * How its LoRA tensors are shaped: linear [r, in], conv1x1 [r, in, 1, 1], conv3x3 [r, in, 3, 3]; a norm has
   * no LoRA but full-difference files can change it. The same as the weight's own; files may differ by trailing
   * ones (some SD2 LoRAs have 4-D proj_in and proj_out tensors).
   */
  readonly kind: ModuleKind;
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** UNet block it sits in; `text` for the text encoders. */
  readonly block: BlockKind | "text";
}

/** A module that training puts a LoRA on; `kind` is never `norm`. */
export type LoraModule = LoraTarget & { readonly kind: Exclude<ModuleKind, "norm"> };

export interface LoraModuleOptions {
  /** Also the residual blocks, down- and upsamplers (kohya's `conv_dim`; 3x3 convolutions have their own rank). */
  convolutions?: boolean;
}

/** Exactly the modules that sd-scripts trains on this base model: text encoders first, then the UNet. */
export function loraModules(config: CheckpointConfig, options: LoraModuleOptions = {}): LoraModule[] {
  const blocks = new Set<string>(["text", "transformer"]);
  if (options.convolutions) for (const block of ["resnet", "downsample", "upsample"]) blocks.add(block);
  return loraTargets(config).filter((target): target is LoraModule => isTrained(target, blocks, config));
}

function isTrained(target: LoraTarget, blocks: ReadonlySet<string>, config: CheckpointConfig): boolean {
  return target.kind !== "norm" && blocks.has(target.block) && !isUnusedLayer(target, config);
}

/** SD2 conditions on the last layer but one, so the last layer has no LoRA. */
function isUnusedLayer(target: LoraTarget, config: CheckpointConfig): boolean {
  return config.family === "sd2" && target.name.includes(`_encoder_layers_${config.text.layers - 1}_`);
}

/** Every weight that some LoRA format can name, norms and first and last convolutions included. */
export function loraTargets(config: CheckpointConfig): LoraTarget[] {
  const { family, text, text2, unet } = config;
  return [
    ...textTargets(text2 ? "te1" : "te", TEXT_PREFIX[family], text),
    ...(text2 ? textTargets("te2", TEXT2_PREFIX, text2) : []),
    ...unetModules(unet).map((module) => unetTarget(family, module)),
  ];
}

function textTargets(part: LoraPart, prefix: string, text: TextConfig): LoraTarget[] {
  return textModules(text).map(({ name, weight, firstRow, inFeatures, outFeatures }) => ({
    name: `lora_${part}_${underscored(name)}`,
    part,
    checkpointKey: prefix + weight,
    biasKey: prefix + weight.replace(/weight$/, "bias"),
    ...(firstRow === undefined ? {} : { firstRow }),
    kind: "linear",
    inFeatures,
    outFeatures,
    block: "text",
  }));
}

function unetTarget(family: FamilyName, module: UnetModule): LoraTarget {
  const { ldm, diffusers, block, kind, inFeatures, outFeatures, bias } = module;
  return {
    name: `lora_unet_${underscored(family === "sdxl" ? ldm : diffusers)}`,
    part: "unet",
    checkpointKey: `${UNET_PREFIX}${ldm}.weight`,
    ...(bias ? { biasKey: `${UNET_PREFIX}${ldm}.bias` } : {}),
    kind,
    inFeatures,
    outFeatures,
    block,
  };
}

function underscored(path: string): string {
  return path.replaceAll(".", "_");
}

/** Shapes of a module's two LoRA tensors. */
export function loraShapes(module: LoraModule, rank: number): { down: number[]; up: number[] } {
  const { kind, inFeatures, outFeatures } = module;
  if (kind === "linear") return { down: [rank, inFeatures], up: [outFeatures, rank] };
  const side = kind === "conv3x3" ? 3 : 1;
  return { down: [rank, inFeatures, side, side], up: [outFeatures, rank, 1, 1] };
}
