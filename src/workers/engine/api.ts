/**
 * What the page may ask of the engine worker, and what it hears back. Types only.
 *
 * The engine worker owns the GPUDevice. Every long call takes a `jobId` chosen by the page; `cancel(jobId)`
 * ends it at the next step boundary. Events are throttled to at most ten a second by the worker.
 */
import type { CaptionOptions } from "../../dataset/captionPlan";
import type { RecomputeChoice } from "../../training/leastRecompute";

/** What this browser and GPU can do; `verdict` decides what the Model room says first. */
export interface GpuReport {
  verdict: "ready" | "software" | "no-webgpu" | "no-adapter" | "error";
  /** For people: "NVIDIA GeForce RTX 3060" or "SwiftShader (software)". */
  name: string;
  vendor: string;
  architecture: string;
  f16: boolean;
  subgroups: boolean;
  /** Largest buffer and binding in bytes. */
  maxBufferSize: number;
  maxBindingSize: number;
  /** The reason when the verdict is an error. */
  message?: string;
}

/** Where a checkpoint comes from. */
export type ModelSource =
  | { kind: "builtin"; id: string; url: string; title: string }
  /** Read from disk as it is used, nothing kept: where there is no room for a copy. */
  | { kind: "file"; file: File }
  /** A model of the library, by its name there; `vae` names one that replaces its own. */
  | { kind: "kept"; name: string; title: string; vae?: string };

export interface ModelSummary {
  /** Key the worker knows the loaded model by. */
  id: string;
  title: string;
  family: string;
  prediction: string;
  /** Bytes of the source file and in GPU memory. */
  fileBytes: number;
  gpuBytes: number;
  quantisation: Quantisation;
  /** A sensible training/sampling size in pixels (64 for Mini, 512 for SD1.5). */
  nativeSize: number;
  /** The first 16 hex digits of the SHA-256 of the file. */
  hash: string;
}

export type Quantisation = "f32" | "f16" | "q8" | "q4";

export interface TrainingSettings extends CaptionOptions {
  /** Also the file stem and the tag name in prompts. */
  name: string;
  preset: string;
  trigger: string;
  steps: number;
  batchSize: number;
  rank: number;
  alpha: number;
  learningRate: number;
  textEncoderLearningRate: number;
  trainTextEncoder: boolean;
  lrScheduler: "constant" | "constant_with_warmup" | "cosine" | "linear";
  lrWarmupSteps: number;
  weightDecay: number;
  maxGradNorm: number;
  /** Pixels of the square whose area the buckets share. */
  resolution: number;
  clipSkip: number;
  /** Redo activations in the backward pass instead of keeping them: less memory, more time, the same result. */
  gradientCheckpointing: boolean;
  /** Redo only as much as makes a step fit into so many gigabytes (2³⁰ bytes); 0: all. */
  memoryLimit: number;
  minSnrGamma: number;
  noiseOffset: number;
  seed: number;
  /** A picture every so many steps; 0 = only before and after. */
  sampleEvery: number;
  samplePrompt: string;
  /** A checkpoint every so many steps. */
  saveEvery: number;
  /** Draws of picture, noise and timestep at which the loss is compared before and after; 0 = it is not. */
  fixedNoiseDraws: number;
}

/** One picture of the dataset, already decoded, oriented and composited by the dataset worker. */
export interface TrainingImage {
  id: string;
  /** RGBA bytes, row-major. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
  /** Size of the picture as it came, `[width, height]`, where `pixels` are already cut to a bucket. */
  originalSize?: readonly [width: number, height: number];
  /** How much each pixel counts in the loss, 0…255, `[height, width]`, of pictures already cut to a bucket; absent: all alike. */
  mask?: Uint8Array<ArrayBuffer>;
  caption: string;
  repeats: number;
}

export interface TrainRequest {
  runId: string;
  modelId: string;
  settings: TrainingSettings;
  images: TrainingImage[];
  /** A checkpoint to go on from; the run is then bit-identical to one never stopped. */
  resumeFrom?: RunCheckpoint;
}

/** Everything needed to go on: step counter, LoRA values and moments. Kept as opaque bytes by the page. */
export interface RunCheckpoint {
  step: number;
  /** SHA-256 of `bytes`, hex. */
  checksum: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface FixedNoiseLoss {
  before: number;
  after: number;
}

export type TrainEvent =
  | {
      kind: "stage";
      stage: "loading" | "compiling" | "encoding" | "measuring" | "training" | "saving";
      done: number;
      total: number;
    }
  | { kind: "plan"; plan: MemoryPlan }
  | {
      kind: "step";
      step: number;
      total: number;
      loss: number;
      lr: number;
      secondsPerStep: number;
      secondsLeft: number;
    }
  | { kind: "sample"; step: number; image: GeneratedImage }
  | { kind: "checkpoint"; checkpoint: RunCheckpoint; loraBytes: Uint8Array<ArrayBuffer> }
  | { kind: "warning"; code: string; message: string };

export interface TrainOutcome {
  /** `stopped` when cancelled: the file is usable all the same. */
  status: "finished" | "stopped";
  steps: number;
  seconds: number;
  /** Absent when no draws were wanted. */
  fixedNoiseLoss?: FixedNoiseLoss;
  lora: LoraFile;
}

export interface LoraFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Hex: of the whole file, and of the payload after the header. */
  sha256: string;
  sshsModelHash: string;
}

/** The settings that decide how much memory a step needs. */
export interface StepChoice extends RecomputeChoice {
  quantisation: Quantisation;
  /** Pixels of the square whose area the buckets share. */
  resolution: number;
  batchSize: number;
  rank: number;
  trainTextEncoder: boolean;
  clipSkip: number;
}

/** A choice and what it needs. */
export interface PlannedChoice {
  choice: StepChoice;
  bytes: MemoryPlan["bytes"];
  /** How much of the step is computed twice. */
  twice: "none" | "some" | "all";
  /** The largest single piece of memory; no adapter takes more than its limit. */
  largestBinding: number;
}

/** Bytes and work of one training step, from shapes alone. */
export interface MemoryPlan {
  dispatches: number;
  flops: number;
  bytes: {
    weights: number;
    activations: number;
    scratch: number;
    lora: number;
    staging: number;
    total: number;
  };
}

export interface GenerateRequest {
  modelId: string;
  prompt: string;
  negativePrompt: string;
  steps: number;
  cfgScale: number;
  width: number;
  height: number;
  seed: number;
  sampler: string;
  scheduler: string;
  clipSkip: number;
  /** The LoRAs that `<lora:name:strength>` in the prompt may name. `live` means the run in progress. */
  loras: { name: string; bytes: Uint8Array<ArrayBuffer> }[];
}

export interface GeneratedImage {
  /** A PNG with A1111 infotext inside. */
  png: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
  seed: number;
  infotext: string;
  seconds: number;
}

export type GenerateEvent =
  | { kind: "progress"; step: number; total: number }
  | { kind: "stage"; stage: "loading" | "compiling" | "decoding" };

/** An error that crossed the worker border: code and words survive, stacks do not matter to people. */
export interface WorkerFailure {
  code: string;
  message: string;
  hint: string;
}

export interface EngineWorker {
  probe(): Promise<GpuReport>;
  openModel(
    jobId: string,
    source: ModelSource,
    onProgress: (done: number, total: number) => void,
  ): Promise<ModelSummary>;
  /**
   * Compiles the kernels of such a step while nothing else goes on, so that training can start at once; gives up when
   * asked again or when a job begins.
   */
  warmUp(modelId: string, choice: StepChoice): Promise<void>;
  /** Plans a step of each choice without touching the GPU. */
  planChoices(modelId: string, choices: StepChoice[]): Promise<PlannedChoice[]>;
  /** Tries to take so much GPU memory, and gives it back. @returns the bytes that could be had */
  tryMemory(bytes: number): Promise<number>;
  train(jobId: string, request: TrainRequest, onEvent: (event: TrainEvent) => void): Promise<TrainOutcome>;
  /** Asks the run for a picture with the live weights at the next step boundary. */
  sampleNow(jobId: string): Promise<void>;
  /** Asks the run for a `checkpoint` event at the next step boundary. */
  saveNow(jobId: string): Promise<void>;
  pause(jobId: string): Promise<void>;
  resume(jobId: string): Promise<void>;
  cancel(jobId: string): Promise<void>;
  /** During a run it waits for the next step boundary and uses the live weights when the prompt names the run's LoRA. */
  generate(
    jobId: string,
    request: GenerateRequest,
    onEvent: (event: GenerateEvent) => void,
  ): Promise<GeneratedImage>;
}
