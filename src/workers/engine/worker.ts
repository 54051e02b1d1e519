/** The engine worker: owns the GPUDevice, the model, and one run at a time. Jobs that do not train wait for a step's end. */
import { expose } from "comlink";
import { WeftError } from "../../base/errors";
import type { EngineDevice } from "../../engine/device";
import { precompile } from "../../engine/precompile";
import { fileHashes } from "../../formats/lora/hashes";
import { readSafetensorsHeader } from "../../formats/safetensors/header";
import { fromBlob, type ByteSource } from "../../formats/safetensors/source";
import type { ClipTokenizer } from "../../formats/tokenizer/clipTokenizer";
import { LoraStack } from "../../models/lora/apply";
import type { LoadedModel } from "../../models/loadedModel";
import { openCheckpoint } from "../../models/openCheckpoint";
import { loadTokenizer } from "../tokenizer";
import { toFailure } from "../failure";
import type { EngineWorker, GenerateRequest, ModelSource, ModelSummary, StepChoice } from "./api";
import { generatePicture } from "./generate";
import { openGpu, probeGpu } from "./gpu";
import { JobControl } from "./jobControl";
import { openKept, type Opening } from "./openKept";
import { planChoices } from "./planChoices";
import { planStep } from "./planStep";
import { runTraining, type LiveRun } from "./run";
import { tryMemory } from "./tryMemory";

interface OpenedModel extends Opening {
  readonly stack: LoraStack;
}

let device: Promise<EngineDevice> | undefined;
let tokenizer: Promise<ClipTokenizer> | undefined;
const models = new Map<string, OpenedModel>();
const jobs = new Map<string, JobControl>();
/** Work that wants the GPU while a run has it; drained between steps. */
const waiting: ((run: LiveRun | undefined) => Promise<void>)[] = [];
let running = false;
let warming = new AbortController();

const engine: EngineWorker = {
  probe: () => answer(probeGpu),
  openModel: (jobId, source, onProgress) => job(jobId, (control) => openModel(source, control, onProgress)),
  warmUp: (modelId, choice) => answer(() => warmUp(opened(modelId).model, choice)),
  planChoices: (modelId, choices) => answer(async () => planChoices(opened(modelId).model, choices)),
  tryMemory: (bytes) => answer(async () => tryMemory(await gpu(), bytes)),
  train: (jobId, request, onEvent) =>
    job(jobId, async (control) => {
      const { model, sha256 } = opened(request.modelId);
      if (running) throw new WeftError("busy", "Another run is training.", "Stop or finish it first.");
      running = true;
      try {
        const host = {
          model,
          modelSha256: sha256,
          tokenizer: await clip(),
          encodePng,
          control,
          onEvent,
          now: () => Date.now() / 1000,
          isGpuWanted: () => waiting.length > 0,
          betweenSteps: drain,
        };
        return await Promise.race([runTraining(request, host), rejectWhenLost(await gpu())]);
      } finally {
        running = false;
        await drain(undefined);
      }
    }),
  generate: (jobId, request, onEvent) =>
    job(jobId, (control) => whenFree((run) => generate(request, control, onEvent, run))),
  sampleNow: (jobId) => control(jobId, (one) => (one.sampleRequested = true)),
  saveNow: (jobId) => control(jobId, (one) => (one.saveRequested = true)),
  pause: (jobId) => control(jobId, (one) => one.pause()),
  resume: (jobId) => control(jobId, (one) => one.resume()),
  cancel: (jobId) => control(jobId, (one) => one.cancel()),
};

expose(engine);

function gpu(): Promise<EngineDevice> {
  if (!device) {
    device = openGpu();
    // A lost device takes every model with it; the next call starts afresh.
    void device.then(({ lost }) => lost).then(forgetDevice, forgetDevice);
  }
  return device;
}

function forgetDevice(): void {
  device = undefined;
  for (const { close } of models.values()) close?.();
  models.clear();
}

async function rejectWhenLost({ lost }: EngineDevice): Promise<never> {
  throw await lost;
}

function clip(): Promise<ClipTokenizer> {
  tokenizer ??= loadTokenizer();
  return tokenizer;
}

async function openModel(
  source: ModelSource,
  jobControl: JobControl,
  onProgress: (done: number, total: number) => void,
): Promise<ModelSummary> {
  // A kept model's first bytes are read while the device is made.
  const engineDevice = gpu();
  const opening =
    source.kind === "kept"
      ? await openKept(source, engineDevice)
      : await openFile(source, await engineDevice);
  if (jobControl.cancelled) opening.close?.();
  jobControl.throwIfCancelled();
  onProgress(opening.fileBytes, opening.fileBytes);
  const known = models.get(opening.id);
  if (known) opening.close?.();
  else models.set(opening.id, { ...opening, stack: new LoraStack(opening.model) });
  await closeOthers(opening.id);
  return summary(opening.id, known ?? opening);
}

/** Straight from a file, read in slices as weights are needed. */
async function openFile(
  source: Exclude<ModelSource, { kind: "kept" }>,
  engineDevice: EngineDevice,
): Promise<Opening> {
  const bytes = await byteSource(source);
  const model = await openCheckpoint(engineDevice, bytes);
  const { dataStart } = await readSafetensorsHeader(bytes);
  const { sha256 } = await fileHashes(bytes, dataStart);
  return { id: sha256, model, sha256, fileBytes: bytes.size };
}

/** Only one model at a time has weights on the GPU, but for what is being used this moment. */
async function closeOthers(id: string): Promise<void> {
  if (running || jobs.size > 1) return;
  for (const [other, { model, stack, close }] of [...models]) {
    if (other === id) continue;
    models.delete(other);
    stack.dispose();
    await model.release();
    close?.();
  }
}

/** Small enough files come whole; a picked file is read in slices. */
async function byteSource(source: Exclude<ModelSource, { kind: "kept" }>): Promise<ByteSource> {
  if (source.kind === "file") return fromBlob(source.file, source.file.name);
  const response = await fetch(source.url);
  if (!response.ok)
    throw new WeftError(
      "model-unreachable",
      `The model "${source.title}" could not be loaded (${response.status}).`,
      "Check the connection and reload the page.",
    );
  return fromBlob(await response.blob(), decodeURIComponent(source.url.split("/").at(-1) ?? source.title));
}

function summary(id: string, { model, sha256, fileBytes }: Opening): ModelSummary {
  const { family, prediction } = model.config;
  return {
    id,
    title: model.title,
    family,
    prediction,
    fileBytes,
    gpuBytes: model.weights.bytes,
    quantisation: model.weights.requested,
    nativeSize: model.nativeSize,
    hash: sha256.slice(0, 16),
  };
}

async function warmUp(model: LoadedModel, choice: StepChoice): Promise<void> {
  warming.abort();
  if (jobs.size > 0) return;
  warming = new AbortController();
  // What is computed twice takes the same kernels again; finding how much that is takes several plans.
  const { plan } = planStep(model.config, { ...choice, recompute: false }, model.device.policy);
  await precompile(model.device, plan, model.weights.requested, warming.signal);
}

async function generate(
  request: GenerateRequest,
  jobControl: JobControl,
  onEvent: Parameters<EngineWorker["generate"]>[2],
  run: LiveRun | undefined,
) {
  const { model, sha256, stack } = opened(request.modelId);
  const live = run && { name: run.name, matrices: await run.trainer.lora() };
  return generatePicture(request, {
    model,
    modelHash: sha256,
    stack,
    tokenizer: await clip(),
    encodePng,
    ...(live && { live }),
    onEvent,
    onStep: () => jobControl.throwIfCancelled(),
  });
}

/** Runs `work` at once, or at the next step's end of the run that has the GPU. */
function whenFree<T>(work: (run: LiveRun | undefined) => Promise<T>): Promise<T> {
  if (!running) return work(undefined);
  return new Promise<T>((resolve, reject) => {
    waiting.push(async (run) => work(run).then(resolve, reject));
  });
}

/** What still waits when a run ends is done without its live weights. */
async function drain(run: LiveRun | undefined): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) await next(run);
}

function opened(modelId: string): OpenedModel {
  const model = models.get(modelId);
  if (model) return model;
  throw new WeftError(
    "model-closed",
    "The model is not open any more.",
    "Choose it again in the Model room.",
  );
}

async function encodePng(
  rgba: Uint8ClampedArray<ArrayBuffer>,
  width: number,
  height: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context)
    throw new WeftError(
      "no-canvas",
      "The browser gave no canvas to write the picture with.",
      "Close some tabs and try again.",
    );
  context.putImageData(new ImageData(rgba, width, height), 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/png" });
  return new Uint8Array(await blob.arrayBuffer());
}

async function control(jobId: string, act: (control: JobControl) => unknown): Promise<void> {
  const found = jobs.get(jobId);
  if (found) act(found);
}

/** Registers a job for its duration. */
function job<T>(jobId: string, work: (control: JobControl) => Promise<T>): Promise<T> {
  warming.abort();
  const jobControl = new JobControl();
  jobs.set(jobId, jobControl);
  return answer(() => work(jobControl).finally(() => jobs.delete(jobId)));
}

/** Errors cross the border as plain objects that keep their code and words. */
async function answer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A plain object, because structured cloning strips an Error of its code and hint.
    // oxlint-disable-next-line no-throw-literal
    throw toFailure(error);
  }
}
