/**
 * Looks at a safetensors file's header and says which Stable Diffusion model it is, or precisely why it is none.
 * Only the header is read (and, for SD2 files that do not say what they predict, one small bias).
 */
import { isReadableAsFloat } from "../safetensors/tensor";
import { TensorFileError, quoted } from "../safetensors/errors";
import { readSafetensorsHeader, type SafetensorsHeader, type TensorInfo } from "../safetensors/header";
import type { ByteSource } from "../safetensors/source";
import type { CheckpointConfig, FamilyName, PartName } from "./config";
import { deriveText, deriveText2, deriveUnet, deriveVae } from "./derive";
import { parseConfigHints, type ConfigHints } from "./hints";
import {
  TEXT2_PREFIX,
  TEXT_PREFIX,
  UNET_PREFIX,
  VAE_PREFIX,
  checkpointLayout,
  type TensorSpec,
} from "./layout";
import { predictionFromHeader, refineSd2Prediction, type PredictionGuess } from "./prediction";
import { refuseOtherFiles } from "./refuse";
import { Shapes, missing } from "./shapes";
import type { CheckpointTensor } from "./tensor";

export interface DetectedCheckpoint {
  readonly config: CheckpointConfig;
  readonly predictionFrom: PredictionGuess["from"];
  /**
   * Every tensor the model needs, by canonical checkpoint key and with the canonical shape, whatever the file
   * calls it; read with `readCheckpointTensor`.
   */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Tensors and parameters of each part, unused extras included. */
  readonly parts: ReadonlyMap<PartName, { tensors: number; parameters: number }>;
  /** Keys no part uses (schedules, EMA copies, position ids), sorted. */
  readonly ignoredKeys: readonly string[];
  readonly header: SafetensorsHeader;
}

/**
 * @throws TensorFileError for files that are damaged, incomplete or another kind of model.
 */
export async function detectCheckpoint(source: ByteSource): Promise<DetectedCheckpoint> {
  return detectInSource(await readSafetensorsHeader(source), source, source.name);
}

/**
 * The same with a header that was read already, perhaps from several files.
 * @param file what messages call it
 * @throws TensorFileError
 */
export async function detectInSource(
  header: SafetensorsHeader,
  source: ByteSource,
  file: string,
): Promise<DetectedCheckpoint> {
  const detected = detectFromHeader(header, file);
  if (detected.config.family !== "sd2") return detected;
  const guess = { prediction: detected.config.prediction, from: detected.predictionFrom };
  const { prediction, from } = await refineSd2Prediction(guess, header, source);
  return { ...detected, config: { ...detected.config, prediction }, predictionFrom: from };
}

/** The same from a header alone. @throws TensorFileError */
export function detectFromHeader(original: SafetensorsHeader, file: string): DetectedCheckpoint {
  refuseOtherFiles(original, file);
  const header = withTextModelLevel(original);
  const shapes = new Shapes(header, file);
  const family = familyOf(shapes);
  requireParts(shapes, family);
  const hints = parseConfigHints(header.metadata.get("config")) ?? {};
  const guess = predictionFromHeader(header, family, hints);
  const config = deriveConfig(shapes, family, guess, hints);
  checkDivisible(config, file);
  return { config, predictionFrom: guess.from, ...matchLayout(header, config, file), header: original };
}

/** Some SD1 files leave out the `text_model.` level of the text encoder's keys. */
function withTextModelLevel(header: SafetensorsHeader): SafetensorsHeader {
  const prefix = TEXT_PREFIX.sd1;
  const tensors = new Map<string, TensorInfo>();
  for (const [key, info] of header.tensors) {
    const bare =
      key.startsWith(prefix) && /^(embeddings|encoder|final_layer_norm)\./.test(key.slice(prefix.length));
    tensors.set(bare ? `${prefix}text_model.${key.slice(prefix.length)}` : key, info);
  }
  return { ...header, tensors };
}

function familyOf(shapes: Shapes): FamilyName {
  if (shapes.hasPrefix(TEXT2_PREFIX) || shapes.has(`${UNET_PREFIX}label_emb.0.0.weight`)) return "sdxl";
  return shapes.hasPrefix(TEXT_PREFIX.sd2) ? "sd2" : "sd1";
}

/** Whole parts that are absent deserve a plainer message than their hundreds of keys. */
function requireParts(shapes: Shapes, family: FamilyName): void {
  const wanted: [string, string][] = [
    [TEXT_PREFIX[family], "text encoder"],
    [VAE_PREFIX, "VAE"],
  ];
  if (family === "sdxl") wanted.push([TEXT2_PREFIX, "second text encoder"]);
  for (const [prefix, what] of wanted) {
    if (shapes.hasPrefix(prefix)) continue;
    throw new TensorFileError(
      "missing-tensors",
      `"${shapes.file}" contains no ${what}.`,
      what === "VAE"
        ? "Choose a VAE file under “Separate VAE” in the Model room first, or download the version of this model with the VAE baked in."
        : `Weft needs UNet, VAE and text encoder in one file. Download the version of this model with the ${what} baked in.`,
    );
  }
}

function deriveConfig(
  shapes: Shapes,
  family: FamilyName,
  guess: PredictionGuess,
  hints: ConfigHints,
): CheckpointConfig {
  return {
    family,
    prediction: guess.prediction,
    unet: deriveUnet(shapes, family, hints),
    text: deriveText(shapes, family, hints),
    ...(family === "sdxl" ? { text2: deriveText2(shapes, hints) } : {}),
    vae: deriveVae(shapes, family, hints),
  };
}

/** Head counts and norm groups must divide the widths they split. */
function checkDivisible({ unet, text, text2, vae }: CheckpointConfig, file: string): void {
  const attention = unet.channels.filter((_, i) => (unet.transformerDepth[i] ?? 0) > 0);
  const divisor = unet.numHeads ?? unet.numHeadChannels ?? 1;
  const splits: [string, number, number][] = [
    ...attention.map((width): [string, number, number] => ["UNet attention", width, divisor]),
    ...unet.channels.map((width): [string, number, number] => ["UNet norm", width, unet.normGroups]),
    ...vae.chMult.map((mult): [string, number, number] => ["VAE norm", vae.ch * mult, vae.normGroups]),
    ...[text, ...(text2 ? [text2] : [])].map((t): [string, number, number] => [
      "text attention",
      t.hidden,
      t.heads,
    ]),
  ];
  const bad = splits.find(([, width, parts]) => !Number.isInteger(width / parts) || !Number.isInteger(parts));
  if (!bad) return;
  const [what, width, parts] = bad;
  throw new TensorFileError(
    "shape",
    `The ${what} of "${file}" has ${width} channels, which cannot be split by ${parts}.`,
    "The file is no ordinary Stable Diffusion model and carries no description of what differs.",
  );
}

type Match = Pick<DetectedCheckpoint, "tensors" | "parts" | "ignoredKeys">;

/** Compares the file with the list of tensors its configuration needs. */
function matchLayout(header: SafetensorsHeader, config: CheckpointConfig, file: string): Match {
  const tensors = new Map<string, CheckpointTensor>();
  const parts = new Map<PartName, { tensors: number; parameters: number }>();
  const absent: string[] = [];
  const unused = new Map(header.tensors);
  for (const [key, spec] of checkpointLayout(config)) {
    const info = unused.get(key);
    unused.delete(key);
    if (!info) {
      if (!spec.optional) absent.push(key);
      continue;
    }
    count(parts, spec.part, info);
    tensors.set(key, { ...info, name: key, shape: checkedShape(info, spec, file) });
  }
  if (absent.length > 0) throw missing(file, absent);
  return { tensors, parts, ignoredKeys: [...unused.values()].map((info) => info.name).sort() };
}

function count(
  parts: Map<PartName, { tensors: number; parameters: number }>,
  part: PartName,
  info: TensorInfo,
): void {
  const sum = parts.get(part) ?? { tensors: 0, parameters: 0 };
  const parameters = info.shape.reduce((product, size) => product * size, 1);
  parts.set(part, { tensors: sum.tensors + 1, parameters: sum.parameters + parameters });
}

/**
 * The canonical shape, when the file's equals it but for trailing ones (VAE attention is stored as Linear or as
 * 1x1 convolution). @throws TensorFileError `shape`, `dtype`
 */
function checkedShape(info: TensorInfo, spec: TensorSpec, file: string): readonly number[] {
  const what = `Tensor ${quoted(info.name, 120)} of "${file}"`;
  if (!isReadableAsFloat(info.dtype)) {
    throw new TensorFileError(
      "dtype",
      `${what} is stored as ${info.dtype}.`,
      "Use the fp16 or fp32 version of the model.",
    );
  }
  if (trimOnes(info.shape) === trimOnes(spec.shape)) return spec.shape;
  throw new TensorFileError(
    "shape",
    `${what} has the shape [${info.shape.join(", ")}] where [${spec.shape.join(", ")}] belongs.`,
    "The file is damaged or was edited wrongly. Download it again.",
  );
}

function trimOnes(shape: readonly number[]): string {
  const keep = shape.findLastIndex((size) => size !== 1) + 1;
  return shape.slice(0, keep).join(",");
}
