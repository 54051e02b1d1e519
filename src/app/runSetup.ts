/** What a run begins with: its record, its pictures at training size, and the proof that a resume has the same. */
import { sha256 } from "hash-wasm";
import { WeftError } from "../base/errors";
import { triggeredCaption } from "../dataset/captionPlan";
import type { DatasetClient } from "../workers/dataset/client";
import type { ModelSummary, TrainingImage, TrainingSettings } from "../workers/engine/api";
import type { EngineClient } from "../workers/engine/client";
import { fromFailure } from "../workers/failure";
import type { Dataset } from "./dataset.svelte";
import type { LiveRun } from "./liveRun.svelte";
import type { Loras } from "./loras.svelte";
import type { Models } from "./models.svelte";
import type { ImageRecord, RunRecord } from "./records";

/** The parts of the app that runs are made of. */
export interface RunParts {
  engine: EngineClient;
  pictures: DatasetClient;
  models: Models;
  dataset: Dataset;
  loras: Loras;
}

export async function describeRun(
  { dataset, models }: RunParts,
  settings: TrainingSettings,
  { title, hash, family, quantisation }: ModelSummary,
): Promise<RunRecord> {
  const source = models.source;
  const now = Date.now();
  return {
    id: crypto.randomUUID(),
    createdAt: now,
    updatedAt: now,
    status: "training",
    settings,
    model: {
      title,
      hash,
      family,
      quantisation,
      source: source?.kind ?? "builtin",
      sourceId: source?.kind === "builtin" ? source.id : title,
    },
    adapter: models.report?.name ?? "",
    images: dataset.images.length,
    imagesPerEpoch: dataset.perEpoch,
    datasetHash: await hashDataset(dataset),
    step: 0,
    savedStep: 0,
    secondsPerStep: 0,
    seconds: 0,
  };
}

/**
 * T-C7: a run goes on only with the very model, pictures and captions it began with.
 * @throws `model-changed`, `dataset-changed`
 */
export async function requireSame({ models, dataset }: RunParts, run: RunRecord): Promise<void> {
  const model = await models.ready();
  if (model.hash !== run.model.hash) {
    throw new WeftError(
      "model-changed",
      `This run began with "${run.model.title}", but "${model.title}" is open.`,
      "Open that model in the Model room, then resume.",
    );
  }
  if ((await hashDataset(dataset)) === run.datasetHash) return;
  throw new WeftError(
    "dataset-changed",
    `The pictures or captions changed since this run began with ${run.images}; there are ${dataset.images.length} now.`,
    "Undo the changes to resume, or start a new run.",
  );
}

/** The same model, stored in another form: as good to go on with, but not bit for bit the run it would have been. */
export function hasOtherWeights({ models }: RunParts, { model }: RunRecord): boolean {
  const now = models.current?.quantisation;
  return model.quantisation !== undefined && now !== undefined && now !== model.quantisation;
}

/** Every picture at the run's size. @throws the picture reader's error, with the picture's name in front. */
export async function readImages(
  { dataset, pictures }: RunParts,
  settings: TrainingSettings,
  live: LiveRun,
): Promise<TrainingImage[]> {
  const images: TrainingImage[] = [];
  for (const [index, image] of dataset.images.entries()) {
    live.signal.throwIfAborted();
    live.stage = { stage: "reading", done: index, total: dataset.images.length };
    const original = await dataset.original(image);
    const decoded = await pictures
      .decode(original, image.name, {
        resolution: settings.resolution,
        crop: image.crop,
        masked: dataset.isMasked && image.alpha === true,
      })
      .catch((reason: unknown) => Promise.reject(named(image, reason)));
    const caption = triggeredCaption(settings.trigger, image.caption, settings.enableWildcard);
    images.push({ id: image.id, repeats: image.repeats, caption, ...decoded });
  }
  return images;
}

function named(image: ImageRecord, reason: unknown): WeftError {
  const { code, message, hint } = fromFailure(reason);
  return new WeftError(code, `"${image.name}" ${message}`, hint);
}

/** A hash over pictures, captions and repeats, in order, and over whether transparent parts are trained. */
async function hashDataset(dataset: Dataset): Promise<string> {
  const facts = dataset.images.map(({ id, caption, repeats, crop }) => [
    id,
    caption,
    repeats,
    ...(crop ? [crop] : []),
  ]);
  return sha256(JSON.stringify(dataset.isMasked ? ["masked", ...facts] : facts));
}
