/** A trainer's LoRA as the bytes of a file, with true metadata and both hashes. */
import type { TrainingFacts } from "../../formats/lora/facts";
import { sha256 } from "../../formats/lora/hashes";
import { loraModules, type LoraModule } from "../../formats/lora/modules";
import { writeLoraFile } from "../../formats/lora/write";
import type { LoadedModel } from "../../models/loadedModel";
import type { Trainer, TrainingExample } from "../../training/trainer";
import type { LoraFile, TrainingSettings } from "./api";

export interface RunFacts {
  readonly settings: TrainingSettings;
  readonly model: LoadedModel;
  /** SHA-256 of the checkpoint file, hex, where known. */
  readonly modelSha256: string | undefined;
  readonly examples: readonly TrainingExample[];
  readonly captions: readonly string[];
  /** Unix seconds. */
  readonly startedAt: number;
  readonly finishedAt: number;
}

/** Writes the LoRA as it is now. The same weights and facts give the same bytes. */
export async function exportLora(trainer: Trainer, run: RunFacts): Promise<LoraFile> {
  const trained = new Map((await trainer.lora()).map((matrices) => [matrices.name, matrices]));
  const { trainTextEncoder, rank, alpha } = run.settings;
  const modules = loraModules(run.model.config).filter(({ part }) => part === "unet" || trainTextEncoder);
  const weights = modules.map((module) => {
    // Layers behind the clip skip are targets too, but nothing ever reaches them: they keep a product of zero.
    const { down, up } = trained.get(module.name) ?? untouched(module, rank);
    return { module, alpha, down, up };
  });
  const { bytes, hashes } = await writeLoraFile(weights, trainingFacts(trainer, run));
  return { name: run.settings.name, bytes, sha256: await sha256([bytes]), sshsModelHash: hashes.model };
}

function untouched(
  { inFeatures, outFeatures }: LoraModule,
  rank: number,
): { down: Float32Array; up: Float32Array } {
  return { down: new Float32Array(rank * inFeatures), up: new Float32Array(outFeatures * rank) };
}

function trainingFacts(trainer: Trainer, run: RunFacts): TrainingFacts {
  const { settings, model, examples } = run;
  const { minSnrGamma, noiseOffset } = settings;
  return {
    outputName: settings.name,
    family: model.config.family,
    prediction: model.config.prediction,
    baseModel: { name: model.title, ...(run.modelSha256 !== undefined && { sha256: run.modelSha256 }) },
    network: { rank: settings.rank, alpha: settings.alpha, dropout: null },
    learningRate: settings.learningRate,
    unetLearningRate: settings.learningRate,
    textEncoderLearningRate: settings.trainTextEncoder ? settings.textEncoderLearningRate : null,
    scheduler: { name: settings.lrScheduler, warmupSteps: settings.lrWarmupSteps },
    optimizer: { name: "torch.optim.adamw.AdamW", args: new Map([["weight_decay", settings.weightDecay]]) },
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    seed: settings.seed,
    steps: trainer.step,
    maxSteps: settings.steps,
    epoch: Math.floor(trainer.step / trainer.stepsPerEpoch),
    epochs: Math.ceil(settings.steps / trainer.stepsPerEpoch),
    batchSize: settings.batchSize,
    gradientAccumulation: 1,
    batchesPerEpoch: trainer.stepsPerEpoch,
    images: { count: examples.length, repeats: 1 },
    resolution: [settings.resolution, settings.resolution],
    buckets: bucketCounts(examples),
    tagFrequency: tagFrequency(run.captions),
    captions: {
      shuffle: settings.shuffleCaption,
      keepTokens: settings.keepTokens,
      dropoutRate: settings.captionDropout,
      dropoutEveryEpochs: settings.captionDropoutEveryNEpochs,
      tagDropoutRate: settings.captionTagDropout,
    },
    flip: false,
    clipSkip: settings.clipSkip === 1 || model.family.fixedClipSkip ? null : settings.clipSkip,
    maxTokenLength: null,
    mixedPrecision: model.activationType === "f16" ? "fp16" : "no",
    gradientCheckpointing: trainer.settings.recompute,
    maxGradNorm: settings.maxGradNorm,
    minSnrGamma: minSnrGamma === 0 ? null : minSnrGamma,
    noiseOffset: noiseOffset === 0 ? null : noiseOffset,
    lossType: "l2",
    about: { title: settings.name, ...(settings.trigger !== "" && { triggerPhrase: settings.trigger }) },
  };
}

function bucketCounts(examples: readonly TrainingExample[]): TrainingFacts["buckets"] {
  const buckets = new Map<string, { resolution: readonly [number, number]; count: number }>();
  for (const { width, height, repeats } of examples) {
    const key = `${8 * width}x${8 * height}`;
    const count = (buckets.get(key)?.count ?? 0) + repeats;
    buckets.set(key, { resolution: [8 * width, 8 * height], count });
  }
  return buckets;
}

/** How often each comma-separated tag occurs. */
function tagFrequency(captions: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const caption of captions) {
    for (const tag of caption.split(",").map((part) => part.trim()))
      if (tag !== "") counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  return counts;
}
