/**
 * What Weft keeps in the browser, as schemas: everything read back passes through one of these parsers, so that
 * a record of an older version or a damaged one is repaired or left out, never trusted.
 */
import * as v from "valibot";

const text = v.string();
const number = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export type { ImageEdit, ImageRecord, ImageValues } from "../dataset/record";

const datasetSchema = v.object({
  id: text,
  name: text,
  createdAt: number,
  trigger: v.fallback(text, ""),
  /** What becomes of transparent parts: white, or white and left out of the loss. */
  alpha: v.fallback(v.picklist(["white", "mask"]), "white"),
  /** In the trash since. */
  removedAt: v.fallback(v.optional(number), undefined),
});
/** A dataset as the list shows it; its pictures have a store of their own. */
export type DatasetRecord = v.InferOutput<typeof datasetSchema>;

/** Runs of versions without these options had captions as they are. */
const captionEntries = {
  shuffleCaption: v.fallback(v.boolean(), false),
  keepTokens: v.fallback(count, 0),
  keepTokensSeparator: v.fallback(text, ""),
  captionSeparator: v.fallback(text, ","),
  secondarySeparator: v.fallback(text, ""),
  enableWildcard: v.fallback(v.boolean(), false),
  captionPrefix: v.fallback(text, ""),
  captionSuffix: v.fallback(text, ""),
  captionDropoutEveryNEpochs: v.fallback(count, 0),
  captionTagDropout: v.fallback(number, 0),
  tokenWarmupStep: v.fallback(number, 0),
  tokenWarmupMin: v.fallback(count, 1),
};

const settingsSchema = v.object({
  name: text,
  preset: text,
  trigger: text,
  steps: count,
  batchSize: count,
  rank: count,
  alpha: number,
  learningRate: number,
  textEncoderLearningRate: number,
  trainTextEncoder: v.boolean(),
  lrScheduler: v.picklist(["constant", "constant_with_warmup", "cosine", "linear"]),
  lrWarmupSteps: count,
  weightDecay: number,
  maxGradNorm: number,
  resolution: count,
  clipSkip: count,
  captionDropout: number,
  ...captionEntries,
  gradientCheckpointing: v.fallback(v.boolean(), false),
  memoryLimit: v.fallback(number, 0),
  minSnrGamma: number,
  noiseOffset: number,
  seed: count,
  sampleEvery: count,
  samplePrompt: text,
  saveEvery: count,
  fixedNoiseDraws: v.fallback(count, 32),
});

const fixedNoiseLossSchema = v.object({ before: number, after: number });

const runSchema = v.object({
  id: text,
  createdAt: number,
  updatedAt: number,
  status: v.picklist(["training", "paused", "interrupted", "stopped", "finished", "failed"]),
  settings: settingsSchema,
  model: v.object({
    title: text,
    hash: text,
    family: text,
    source: v.picklist(["builtin", "file", "kept"]),
    sourceId: text,
    /** How the weights were stored; absent in runs of older versions. */
    quantisation: v.exactOptional(v.picklist(["f32", "f16", "q8", "q4"])),
  }),
  adapter: v.fallback(text, ""),
  /** How many pictures, and a hash over them and their captions: a resume needs the very same. */
  images: count,
  imagesPerEpoch: count,
  datasetHash: text,
  step: count,
  /** Step of the newest checkpoint; 0 when there is none. */
  savedStep: v.fallback(count, 0),
  secondsPerStep: v.fallback(number, 0),
  seconds: v.fallback(number, 0),
  fixedNoiseLoss: v.optional(fixedNoiseLossSchema),
  loraId: v.optional(text),
  message: v.optional(text),
});
export type RunRecord = v.InferOutput<typeof runSchema>;

const loraSchema = v.object({
  id: text,
  name: text,
  createdAt: number,
  runId: text,
  trigger: text,
  modelTitle: text,
  modelHash: text,
  family: text,
  resolution: count,
  rank: count,
  alpha: number,
  steps: count,
  images: count,
  bytes: count,
  sha256: text,
  sshsModelHash: text,
  fixedNoiseLoss: v.optional(fixedNoiseLossSchema),
});
export type LoraRecord = v.InferOutput<typeof loraSchema>;

const pictureSchema = v.object({
  id: text,
  createdAt: number,
  prompt: text,
  negativePrompt: text,
  steps: count,
  cfgScale: number,
  width: count,
  height: count,
  seed: number,
  sampler: text,
  scheduler: text,
  clipSkip: v.fallback(count, 1),
  infotext: text,
  seconds: number,
});
export type PictureRecord = v.InferOutput<typeof pictureSchema>;

function parser<S extends v.GenericSchema>(schema: S): (value: unknown) => v.InferOutput<S> | undefined {
  return (value) => {
    const result = v.safeParse(schema, value);
    return result.success ? result.output : undefined;
  };
}

export const parseDataset = parser(datasetSchema);
export const parseRun = parser(runSchema);
export const parseLora = parser(loraSchema);
export const parsePicture = parser(pictureSchema);

const builtinSchema = v.array(
  v.object({
    id: text,
    file: text,
    bytes: count,
    sha256: v.fallback(text, ""),
    family: v.fallback(text, "sd1"),
    resolution: v.fallback(count, 128),
    title: text,
    description: v.fallback(text, ""),
    license: v.fallback(text, ""),
  }),
);
/** A base model that ships with the site: `public/models/index.json`. */
export type BuiltinModel = v.InferOutput<typeof builtinSchema>[number];
export const parseBuiltins = parser(builtinSchema);

const sampleSchema = v.array(
  v.object({
    id: text,
    title: text,
    description: v.fallback(text, ""),
    trigger: v.fallback(text, ""),
    license: v.fallback(text, ""),
    images: v.array(v.object({ file: text, caption: v.fallback(text, "") })),
  }),
);
/** A dataset that ships with the site: `public/samples/index.json`. */
export type SampleDataset = v.InferOutput<typeof sampleSchema>[number];
export const parseSamples = parser(sampleSchema);
