/**
 * What a training run can truthfully say about itself. Metadata is built from this and from nothing else, so
 * what is not here (folder names, captions, the person) cannot leak into a file.
 */
import type { FamilyName, PredictionName } from "../checkpoint/config";

export interface TrainingFacts {
  /** Stem of the file, which web UIs use as the LoRA's name in prompts. */
  outputName: string;
  family: FamilyName;
  prediction: PredictionName;
  baseModel: {
    /** File name without folders. */
    name: string;
    /** SHA-256 of the whole file, hex, where known. */
    sha256?: string;
  };
  network: {
    rank: number;
    alpha: number;
    conv?: { rank: number; alpha: number };
    dropout: number | null;
  };
  learningRate: number;
  /** null: not trained. */
  unetLearningRate: number | null;
  textEncoderLearningRate: number | null;
  scheduler: { name: string; warmupSteps: number };
  /** As sd-scripts names it, e.g. `torch.optim.adamw.AdamW`, with its arguments where they differ. */
  optimizer: { name: string; args: ReadonlyMap<string, number | boolean> };
  /** Unix seconds. Passed in, so that the same facts give the same bytes. */
  startedAt: number;
  finishedAt: number;
  seed: number;
  /** Steps done and planned (optimizer steps). */
  steps: number;
  maxSteps: number;
  epoch: number;
  epochs: number;
  batchSize: number;
  gradientAccumulation: number;
  batchesPerEpoch: number;
  images: { count: number; repeats: number };
  /** Width and height. */
  resolution: readonly [number, number];
  buckets: ReadonlyMap<string, { resolution: readonly [number, number]; count: number }>;
  /** How often each tag occurs; left out of the file when null. */
  tagFrequency: ReadonlyMap<string, number> | null;
  captions: {
    shuffle: boolean;
    keepTokens: number;
    dropoutRate: number;
    dropoutEveryEpochs: number;
    tagDropoutRate: number;
  };
  flip: boolean;
  clipSkip: number | null;
  maxTokenLength: number | null;
  mixedPrecision: "no" | "fp16";
  gradientCheckpointing: boolean;
  maxGradNorm: number;
  minSnrGamma: number | null;
  noiseOffset: number | null;
  lossType: "l2" | "huber" | "smooth_l1";
  /** Shown by sharing sites; all optional and typed by the person. */
  about?: {
    title?: string;
    author?: string;
    description?: string;
    license?: string;
    tags?: string;
    triggerPhrase?: string;
    comment?: string;
  };
}
