/** Checks a LoRA file against the base model it is to be used with. */
import type { CheckpointConfig, FamilyName } from "../checkpoint/config";
import { TensorFileError, quoted, type FileErrorCode } from "../safetensors/errors";
import type { TensorInfo } from "../safetensors/header";
import { loraTargets, type LoraTarget } from "./modules";
import { parseLora, type LoraEntry, type ParsedLora } from "./parse";
import type { SafetensorsHeader } from "../safetensors/header";

export interface LoraWarning {
  readonly code: "unknown-key";
  readonly message: string;
}

export interface MatchedModule {
  readonly entry: LoraEntry;
  readonly target: LoraTarget;
}

export interface MatchedLora {
  readonly modules: readonly MatchedModule[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly warnings: readonly LoraWarning[];
}

const FAMILY_LABEL: Record<FamilyName, string> = {
  sd1: "Stable Diffusion 1.x",
  sd2: "Stable Diffusion 2.x",
  sdxl: "SDXL",
};

/**
 * Pairs every module of the file with the weight it changes.
 * @throws TensorFileError `wrong-base` for LoRAs of another model, `missing-tensors` and `shape` for broken
 *   modules, `unknown-key` when there is no LoRA inside. Modules the model lacks are warned about and left out.
 */
export function matchLora(header: SafetensorsHeader, base: CheckpointConfig, file: string): MatchedLora {
  const parsed = parseLora(header);
  if (parsed.entries.size === 0) refuseOther(header, file);
  refuseOtherBase(parsed, base, file);
  const targets = new Map(loraTargets(base).map((target) => [target.name, target]));
  const modules: MatchedModule[] = [];
  const unknown: string[] = [];
  for (const entry of parsed.entries.values()) {
    const target = targets.get(entry.name);
    if (target && entry.kind !== "unknown") modules.push({ entry, target });
    else unknown.push(entry.name);
  }
  if (modules.length === 0) refuseBase(file, base, "none of its modules exists in this model");
  for (const module of modules) checkModule(module, file);
  return { modules, metadata: parsed.metadata, warnings: warnings(unknown, parsed.otherKeys, file) };
}

function warnings(modules: readonly string[], keys: readonly string[], file: string): LoraWarning[] {
  const lists: [readonly string[], string][] = [
    [modules, "modules that this model does not have"],
    [keys, "tensors that belong to no module"],
  ];
  return lists.flatMap(([names, what]) => {
    if (names.length === 0) return [];
    const message = `"${file}" has ${names.length} ${what} (first: ${quoted(names[0] ?? "")}). They are ignored.`;
    return [{ code: "unknown-key" as const, message }];
  });
}

/** A file without any LoRA module. */
function refuseOther(header: SafetensorsHeader, file: string): never {
  const keys = [...header.tensors.keys()];
  const has = (pattern: RegExp) => keys.some((key) => pattern.test(key));
  if (has(/^(model\.diffusion_model|first_stage_model|cond_stage_model|conditioner)\./)) {
    fail("wrong-base", `"${file}" is a base model, not a LoRA.`, "Open it in the Model room.");
  }
  if (has(/^(emb_params|clip_[lg]|string_to_param)/)) {
    fail(
      "wrong-base",
      `"${file}" is a textual inversion embedding, not a LoRA.`,
      "Weft uses LoRA files only.",
    );
  }
  if (has(/\.lora_[AB]\b|\.lora\.(down|up)\.|_lora\.(down|up)\./)) {
    fail(
      "unknown-key",
      `"${file}" is a LoRA with diffusers' key names.`,
      "Convert it to kohya's format first.",
    );
  }
  return fail("unknown-key", `"${file}" contains no LoRA modules.`, "Pick a LoRA in kohya's format.");
}

/** Names that give another base model away. */
const FOREIGN: readonly [RegExp, string][] = [
  [/^lora_unet_(double_blocks|single_blocks)_/, "Flux"],
  [/^lora_unet_joint_blocks_/, "Stable Diffusion 3"],
  [/^lora_transformer_|^lora_unet_transformer_blocks_/, "a transformer model (SD3, Flux or similar)"],
  [/^lora_prior_/, "Stable Cascade"],
];
const SDXL_NAMES = /^lora_(te[12]_|unet_(input_blocks|middle_block|output_blocks)_)/;

function refuseOtherBase({ entries }: ParsedLora, base: CheckpointConfig, file: string): void {
  const names = [...entries.keys()];
  for (const [pattern, model] of FOREIGN) {
    if (names.some((name) => pattern.test(name))) refuseBase(file, base, `it was trained for ${model}`);
  }
  if (base.family !== "sdxl" && names.some((name) => SDXL_NAMES.test(name))) {
    refuseBase(file, base, `it was trained for ${FAMILY_LABEL.sdxl}`);
  }
  if (base.family === "sdxl" && names.some((name) => name.startsWith("lora_te_"))) {
    refuseBase(file, base, `it was trained for ${FAMILY_LABEL.sd1} or 2.x`);
  }
  refuseOtherContext(entries, base, file);
}

/** SD1 and SD2 share their UNet names; the width of the text states tells them apart. */
function refuseOtherContext(entries: ParsedLora["entries"], base: CheckpointConfig, file: string): void {
  const widths = new Set<number>();
  for (const [name, { tensors }] of entries) {
    const width = /_attn2_to_[kv]$/.test(name) ? tensors.get("lora_down.weight")?.shape[1] : undefined;
    if (width !== undefined) widths.add(width);
  }
  const [width, ...others] = widths;
  if (width === undefined || others.length > 0 || width === base.unet.contextDim) return;
  const model = { 768: FAMILY_LABEL.sd1, 1024: FAMILY_LABEL.sd2, 2048: FAMILY_LABEL.sdxl }[width];
  refuseBase(file, base, `it was trained for ${model ?? "a model"} with text states ${width} wide`);
}

function refuseBase(file: string, base: CheckpointConfig, why: string): never {
  fail(
    "wrong-base",
    `"${file}" does not fit the current ${FAMILY_LABEL[base.family]} model: ${why}.`,
    "Load the base model that the LoRA was made for.",
  );
}

/** Complete and of the right shape, for the kinds whose tensors are known. */
function checkModule({ entry, target }: MatchedModule, file: string): void {
  if (entry.kind !== "lora") return;
  const down = required(entry, "lora_down.weight", file);
  const up = required(entry, "lora_up.weight", file);
  const rank = down.shape[0];
  const mid = entry.tensors.get("lora_mid.weight");
  const ok = mid ? isTucker(down, up, mid, target) : isPair(down, up, target);
  if (rank !== undefined && rank > 0 && ok) return;
  fail(
    "shape",
    `Module ${quoted(entry.name, 120)} of "${file}" has tensors [${down.shape.join(", ")}] and [${up.shape.join(", ")}], ` +
      `which do not fit a weight of ${target.outFeatures} x ${target.inFeatures}.`,
    "The LoRA is damaged or was made for another model.",
  );
}

function required(entry: LoraEntry, tensor: string, file: string): TensorInfo {
  const info = entry.tensors.get(tensor);
  if (info) return info;
  return fail(
    "missing-tensors",
    `Module ${quoted(entry.name, 120)} of "${file}" lacks its ${tensor}.`,
    "The LoRA is incomplete. Download it again.",
  );
}

/** down [r, in, (k, k)], up [out, r, (1, 1)]; 1x1 convolutions may be stored as Linear and the reverse. */
function isPair(down: TensorInfo, up: TensorInfo, target: LoraTarget): boolean {
  const side = target.kind === "conv3x3" ? 3 : 1;
  return (
    fits(down, [down.shape[0], target.inFeatures, side, side]) &&
    fits(up, [target.outFeatures, down.shape[0], 1, 1])
  );
}

/** Tucker: down [r, in, 1, 1], mid [r, s, k, k], up [out, r, 1, 1]. */
function isTucker(down: TensorInfo, up: TensorInfo, mid: TensorInfo, target: LoraTarget): boolean {
  const [outer, inner] = mid.shape;
  const side = target.kind === "conv3x3" ? 3 : 1;
  return (
    fits(mid, [outer, inner, side, side]) &&
    fits(down, [inner, target.inFeatures, 1, 1]) &&
    fits(up, [target.outFeatures, outer, 1, 1])
  );
}

/** Equality of shapes, trailing ones aside. */
function fits({ shape }: TensorInfo, expected: readonly (number | undefined)[]): boolean {
  const axes = Math.max(shape.length, expected.length);
  return Array.from({ length: axes }, (_, i) => (shape[i] ?? 1) === (expected[i] ?? 1)).every(Boolean);
}

function fail(code: FileErrorCode, message: string, hint: string): never {
  throw new TensorFileError(code, message, hint);
}
