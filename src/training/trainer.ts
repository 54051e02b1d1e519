/**
 * The training loop: which pictures, which noise, which timestep, which learning rate. Everything random is a function
 * of (seed, step), so a run resumed from a checkpoint gives the same bits as one never stopped, on the same adapter.
 */
import { invariant, WeftError } from "../base/errors";
import { concatenate } from "../base/layout";
import { counterNormal, counterUniform, counterUniformInt, randomStream } from "../base/random/counter";
import { minSnrWeight } from "../diffusion/lossWeights";
import { alphasCumprod, snr, TRAIN_TIMESTEPS } from "../diffusion/noiseSchedule";
import { wholePicture, type SizeCondition } from "../diffusion/sizeEmbedding";
import type { EncodedText, LoadedModel, Progress } from "../models/loadedModel";
import { LoraBinding, type LoraTarget } from "../models/lora/binding";
import { DrawnTexts } from "./drawnTexts";
import { epochBatches, stepsPerEpoch, type BatchItem } from "./batches";
import { readCheckpoint, writeCheckpoint, type RunState } from "./checkpoint";
import { extractLora, initialLora, type LoraMatrices } from "../models/lora/flatValues";
import { learningRateAt } from "./schedules";
import type { LrScheduleName } from "./schedules/meta";
import type { RecomputeChoice } from "./leastRecompute";
import type { TrainingShape } from "./trainingGraph";
import { TrainingSession, shapeKey, type OptimizerSettings, type StepInputs } from "./trainingSession";

/** A picture ready to train on. */
export interface TrainingExample {
  /** VAE moments `[height, width, 2·channels]`: mean, then log-variance. */
  readonly moments: Float32Array;
  /** How much each latent pixel counts, 0…1, `[height, width]`; absent: all of them alike. */
  readonly mask?: Float32Array<ArrayBuffer>;
  /** In latent pixels. */
  readonly height: number;
  readonly width: number;
  /** Index into {@link TrainerData.captions}. */
  readonly caption: number;
  readonly repeats: number;
  /** What families with size conditioning are told; absent: the picture is whole, and as large as it is trained. */
  readonly size?: SizeCondition;
}

export interface TrainerData {
  readonly examples: readonly TrainingExample[];
  /** Token ids `[77]` of each distinct caption, padded with end tokens; the first one is the empty caption. */
  readonly captions: readonly (readonly number[])[];
  /**
   * Token ids `[77]` of what a picture's caption becomes when it is drawn, dropout included; a function of the draw
   * alone. Absent where captions are only ever dropped as a whole, at the rate of the settings.
   */
  readonly captionAt?: ((draw: CaptionDraw) => readonly number[]) | undefined;
}

/** A picture in a batch. */
export interface CaptionDraw {
  readonly example: number;
  /** Steps done before, and the epoch they are in, counted from 1. */
  readonly step: number;
  readonly epoch: number;
  /** Place in the batch. */
  readonly image: number;
}

export interface TrainerSettings extends RecomputeChoice {
  readonly steps: number;
  readonly batchSize: number;
  readonly rank: number;
  readonly alpha: number;
  readonly learningRate: number;
  readonly textEncoderLearningRate: number;
  readonly trainTextEncoder: boolean;
  readonly lrScheduler: LrScheduleName;
  readonly lrWarmupSteps: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  readonly clipSkip: number;
  readonly captionDropout: number;
  readonly minSnrGamma: number;
  readonly noiseOffset: number;
  readonly seed: number;
}

export interface StepReport {
  /** Steps done, this one included. */
  readonly step: number;
  /** Mean weighted loss over the batch. */
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly skipped: boolean;
  readonly seconds: number;
}

const TOKENS = 77;
/** Torch's defaults. */
const ADAMW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export class Trainer {
  readonly settings: TrainerSettings;
  readonly session: TrainingSession;
  readonly #model: LoadedModel;
  readonly #data: TrainerData;
  readonly #items: readonly BatchItem[];
  readonly #texts: readonly EncodedText[];
  readonly #drawnTexts: DrawnTexts | undefined;
  readonly #weightByTimestep: Float32Array;
  /** Resumed with other kernels than the run began with: right, but not bit for bit what it would have been. */
  resumedElsewhere = false;
  #step = 0;
  #epoch = -1;
  #batches: number[][] = [];
  readonly #reports: Promise<StepReport>[] = [];
  /** When the last report came in, on the clock of `performance.now`. */
  #lastDone = 0;

  private constructor(
    model: LoadedModel,
    data: TrainerData,
    settings: TrainerSettings,
    session: TrainingSession,
    texts: readonly EncodedText[],
  ) {
    this.#model = model;
    this.#data = data;
    this.settings = settings;
    this.session = session;
    this.#texts = texts;
    const varies = data.captionAt !== undefined && !settings.trainTextEncoder;
    this.#drawnTexts = varies ? new DrawnTexts(model, model.clipSkip(settings.clipSkip)) : undefined;
    this.#items = batchItems(data.examples);
    const gamma = settings.minSnrGamma;
    this.#weightByTimestep = snr(alphasCumprod()).map((ratio) =>
      minSnrWeight(ratio, gamma, model.config.prediction),
    );
  }

  /**
   * Prepares a run: text states once, LoRA initialised or restored, steps compiled.
   * @param targets modules to train; text-encoder ones only when `trainTextEncoder`
   * @param checkpoint bytes of an earlier {@link checkpoint} of the same settings and pictures
   */
  static async create(
    model: LoadedModel,
    data: TrainerData,
    settings: TrainerSettings,
    targets: readonly LoraTarget[],
    options: { readonly checkpoint?: Uint8Array<ArrayBuffer>; readonly onProgress?: Progress } = {},
  ): Promise<Trainer> {
    const { trainTextEncoder, clipSkip, recompute, memoryLimit, rank, alpha, seed } = settings;
    const texts = trainTextEncoder ? [] : await model.encodeText(data.captions, model.clipSkip(clipSkip));
    const lora = new LoraBinding(targets, rank, alpha / rank);
    const shapes = distinctShapes(data.examples, settings.batchSize);
    const session = await TrainingSession.create(
      model,
      shapes,
      { lora, trainTextEncoder, clipSkip, recompute, memoryLimit, masked: isMasked(data.examples) },
      options.onProgress,
    );
    const trainer = new Trainer(model, data, settings, session, texts);
    session.buffers.write("parameter", initialLora(session.layout, lora.groups, rank, seed));
    if (options.checkpoint) trainer.#restore(await readCheckpoint(options.checkpoint));
    return trainer;
  }

  /** Steps done or in flight. */
  get step(): number {
    return this.#step;
  }

  get stepsPerEpoch(): number {
    return stepsPerEpoch(this.#items, this.settings.batchSize);
  }

  /** Steps queued whose reports were not taken yet; at most {@link STEPS_IN_FLIGHT}. */
  get inFlight(): number {
    return this.#reports.length;
  }

  /**
   * Makes ready what the next step needs that takes the GPU's time: text states of captions that change from draw to
   * draw. To be waited for before {@link queueStep}.
   */
  async prepareStep(): Promise<void> {
    await this.#drawnTexts?.prepare(this.#step, (step) => this.#drawnIds(this.#batch(step), step));
  }

  /** Hands the next optimizer step to the GPU and returns at once; its losses come with {@link nextReport}. */
  queueStep(): void {
    const index = this.#step;
    const members = this.#batch(index);
    const shape = this.#shape(members);
    const learningRate = this.#learningRate(index, this.settings.learningRate);
    const optimizer = this.#optimizer(index, learningRate);
    const queuedAt = performance.now();
    this.session.queue(shape, this.#draw(members, index), "update", false, optimizer);
    this.#step++;
    const report = this.session.readUpdate(shape).then(({ weighted, gradientNorm, skipped }) => {
      const now = performance.now();
      // A step that waited behind another one only took the time since that one was done.
      const seconds = (now - Math.max(queuedAt, this.#lastDone)) / 1000;
      this.#lastDone = now;
      this.session.learnSpeed(shape, seconds);
      return { step: index + 1, loss: mean(weighted), learningRate, gradientNorm, skipped, seconds };
    });
    // Whoever asks for the report hears of a failure; one nobody asks for is no crash.
    report.catch(() => undefined);
    this.#reports.push(report);
  }

  /** The report of the oldest step in flight. */
  async nextReport(): Promise<StepReport> {
    const report = this.#reports.shift();
    invariant(report, "no step is in flight");
    return report;
  }

  /** Does one optimizer step and waits for it. */
  async advance(): Promise<StepReport> {
    invariant(this.inFlight === 0, "earlier steps are still in flight");
    await this.prepareStep();
    this.queueStep();
    return this.nextReport();
  }

  /**
   * Mean squared error of the noise prediction over fixed draws of picture, noise and timestep: the same numbers before
   * and after training, unlike the losses of single steps.
   */
  async fixedNoiseLoss(draws: number, onDraws?: (done: number) => void): Promise<number> {
    const losses: number[] = [];
    const { batchSize, seed } = this.settings;
    for (let first = 0; first < draws; first += batchSize) {
      const lead = (first / batchSize) % this.#data.examples.length;
      const shape = this.#shape([lead]);
      const members = sameShape(this.#data.examples, lead, batchSize);
      const timesteps = members.map((_, i) =>
        Math.floor(((first + i + 0.5) / (draws + batchSize)) * TRAIN_TIMESTEPS),
      );
      const noise = new Float32Array(elementsOf(shape, this.#channels));
      counterNormal(seed, first, randomStream.evaluation, noise);
      const latents = this.#latents(members, undefined);
      this.session.queue(
        shape,
        {
          latents,
          noise,
          timesteps,
          ...this.#mask(members),
          weights: members.map(() => 1),
          ...this.#conditions(members, () => false),
        },
        "forward",
      );
      losses.push(...(await this.session.readLosses(shape)).unweighted);
      onDraws?.(Math.min(draws, losses.length));
    }
    return mean(losses.slice(0, draws));
  }

  /** The fixed-noise loss as it was before the first step, measured at any time; the weights stay as they are. */
  async untrainedLoss(draws: number, onDraws?: (done: number) => void): Promise<number> {
    const { session, settings } = this;
    const trained = await session.buffers.read("parameter");
    session.buffers.write(
      "parameter",
      initialLora(session.layout, session.lora.groups, settings.rank, settings.seed),
    );
    try {
      return await this.fixedNoiseLoss(draws, onDraws);
    } finally {
      session.buffers.write("parameter", trained);
    }
  }

  /** Everything a later run needs to go on. */
  async checkpoint(): Promise<Uint8Array<ArrayBuffer>> {
    const { buffers } = this.session;
    return writeCheckpoint({
      step: this.#step,
      parameter: await buffers.read("parameter"),
      moment1: await buffers.read("moment1"),
      moment2: await buffers.read("moment2"),
      settings: JSON.stringify(this.settings),
      policy: JSON.stringify(this.#model.device.policy),
    });
  }

  /** The LoRA as it is now. */
  async lora(): Promise<LoraMatrices[]> {
    const { session, settings } = this;
    return extractLora(
      await session.buffers.read("parameter"),
      session.layout,
      session.lora.groups,
      settings.rank,
      settings.alpha,
    );
  }

  dispose(): void {
    this.session.dispose();
  }

  get #channels(): number {
    return this.#model.config.vae.latentChannels;
  }

  #restore(state: RunState): void {
    const { buffers, layout } = this.session;
    if (state.parameter.length !== layout.length) {
      throw new WeftError(
        "checkpoint-mismatch",
        "The checkpoint belongs to a run with another model or other settings.",
        "Resume with the model, rank and modules the run began with, or start a new run.",
      );
    }
    buffers.write("parameter", state.parameter);
    buffers.write("moment1", state.moment1);
    buffers.write("moment2", state.moment2);
    this.#step = state.step;
    this.resumedElsewhere = state.policy !== JSON.stringify(this.#model.device.policy);
  }

  #batch(step: number): readonly number[] {
    const perEpoch = this.stepsPerEpoch;
    const epoch = Math.floor(step / perEpoch);
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#batches = epochBatches(this.#items, this.settings.batchSize, this.settings.seed, epoch);
    }
    return this.#batches[step % perEpoch] ?? [];
  }

  #shape(members: readonly number[]): TrainingShape {
    const example = this.#data.examples[members[0] ?? 0];
    return {
      batch: this.settings.batchSize,
      height: example?.height ?? 0,
      width: example?.width ?? 0,
      tokens: TOKENS,
    };
  }

  #learningRate(step: number, base: number): number {
    const { lrScheduler, steps, lrWarmupSteps } = this.settings;
    return learningRateAt(lrScheduler, step, { lr: base, totalSteps: steps, warmupSteps: lrWarmupSteps });
  }

  #optimizer(step: number, learningRate: number): OptimizerSettings {
    const { textEncoderLearningRate, weightDecay, maxGradNorm } = this.settings;
    return {
      ...ADAMW,
      learningRate,
      textEncoderLearningRate: this.#learningRate(step, textEncoderLearningRate),
      weightDecay,
      maxGradNorm,
      update: step + 1,
    };
  }

  /** Everything random about a step. */
  #draw(members: readonly number[], step: number): StepInputs {
    const { seed, captionDropout } = this.settings;
    const latents = this.#latents(members, step);
    const noise = new Float32Array(latents.length);
    counterNormal(seed, step, randomStream.noise, noise);
    this.#offsetNoise(noise, members.length, step);
    const timesteps = members.map((_, image) =>
      counterUniformInt(seed, step, randomStream.timestep, image, TRAIN_TIMESTEPS),
    );
    const weights = timesteps.map((t) => this.#weightByTimestep[t] ?? 1);
    const isDropped = (image: number) =>
      captionDropout > 0 && counterUniform(seed, step, randomStream.caption, image) < captionDropout;
    const conditions = this.#data.captionAt
      ? this.#drawnConditions(members, step)
      : this.#conditions(members, isDropped);
    return { latents, noise, timesteps, weights, ...this.#mask(members), ...conditions };
  }

  #drawnIds(members: readonly number[], step: number): (readonly number[])[] {
    const epoch = Math.floor(step / this.stepsPerEpoch) + 1;
    return members.map((example, image) => this.#data.captionAt?.({ example, step, epoch, image }) ?? []);
  }

  #drawnConditions(members: readonly number[], step: number): Conditions {
    const captions = this.#drawnIds(members, step);
    const texts = this.#drawnTexts;
    return this.#conditioned(members, captions, texts && captions.map((ids) => texts.text(ids)));
  }

  /** Adds one normal number per image and channel (`noise_offset`). */
  #offsetNoise(noise: Float32Array, batch: number, step: number): void {
    const { noiseOffset, seed } = this.settings;
    if (noiseOffset === 0) return;
    const offsets = new Float32Array(batch * this.#channels);
    counterNormal(seed, step, randomStream.noiseOffset, offsets);
    const perImage = noise.length / batch;
    for (let i = 0; i < noise.length; i++) {
      const offset = offsets[Math.floor(i / perImage) * this.#channels + (i % this.#channels)] ?? 0;
      noise[i] = (noise[i] ?? 0) + noiseOffset * offset;
    }
  }

  /** Scaled latents: a fresh sample of the posterior for a step, its mean when `step` is undefined. */
  #latents(members: readonly number[], step: number | undefined): Float32Array<ArrayBuffer> {
    const channels = this.#channels;
    const { scalingFactor } = this.#model.config.vae;
    const perImage = (this.#data.examples[members[0] ?? 0]?.moments.length ?? 0) / 2;
    const latents = new Float32Array(members.length * perImage);
    if (step !== undefined) counterNormal(this.settings.seed, step, randomStream.posterior, latents);
    members.forEach((index, image) => {
      const moments = this.#data.examples[index]?.moments ?? new Float32Array();
      for (let i = 0; i < perImage; i++) {
        const at = Math.floor(i / channels) * 2 * channels + (i % channels);
        const deviation = Math.exp(0.5 * Math.max(-30, Math.min(20, moments[at + channels] ?? 0)));
        const out = image * perImage + i;
        latents[out] = ((moments[at] ?? 0) + deviation * (latents[out] ?? 0)) * scalingFactor;
      }
    });
    return latents;
  }

  /** As sd-scripts does it: once any picture has a mask, the others count in full. */
  #mask(members: readonly number[]): Pick<StepInputs, "mask"> {
    const { examples } = this.#data;
    if (!isMasked(examples)) return {};
    const masks = members.map((index) => {
      const { mask, height = 0, width = 0 } = examples[index] ?? {};
      return mask ?? new Float32Array(height * width).fill(1);
    });
    return { mask: concatenate(masks) };
  }

  /** What the network is told besides latents and time. */
  #conditions(members: readonly number[], isDropped: (image: number) => boolean): Conditions {
    const captions = members.map((index, image) =>
      isDropped(image) ? 0 : (this.#data.examples[index]?.caption ?? 0),
    );
    const rows = captions.map((caption) => this.#data.captions[caption] ?? []);
    const texts = captions.flatMap((caption) => this.#texts[caption] ?? []);
    return this.#conditioned(members, rows, this.settings.trainTextEncoder ? undefined : texts);
  }

  /** @param texts of the captions, unless the text encoder is trained */
  #conditioned(
    members: readonly number[],
    captions: readonly (readonly number[])[],
    texts: readonly EncodedText[] | undefined,
  ): Conditions {
    const sizes = members.map((index) => sizeOf(this.#data.examples[index]));
    if (!texts) return { captions, sizes };
    const pooled = texts.flatMap((text) => text.pooled ?? []);
    return {
      context: concatenate(texts.map(({ context }) => context)),
      ...(pooled.length > 0 && { pooled: concatenate(pooled) }),
      sizes,
    };
  }
}

function isMasked(examples: readonly TrainingExample[]): boolean {
  return examples.some(({ mask }) => mask !== undefined);
}

type Conditions = Pick<StepInputs, "context" | "pooled" | "captions" | "sizes">;

function sizeOf(example: TrainingExample | undefined): SizeCondition {
  return example?.size ?? wholePicture(8 * (example?.height ?? 0), 8 * (example?.width ?? 0));
}

function batchItems(examples: readonly TrainingExample[]): BatchItem[] {
  return examples.map(({ height, width, repeats }, index) => ({
    index,
    bucket: `${height}×${width}`,
    repeats,
  }));
}

function distinctShapes(examples: readonly TrainingExample[], batch: number): TrainingShape[] {
  const shapes = new Map<string, TrainingShape>();
  for (const { height, width } of examples) {
    const shape = { batch, height, width, tokens: TOKENS };
    shapes.set(shapeKey(shape), shape);
  }
  return [...shapes.values()];
}

/** `count` pictures of one shape, starting with `lead` and wrapping around. */
function sameShape(examples: readonly TrainingExample[], lead: number, count: number): number[] {
  const first = examples[lead];
  const alike = examples.flatMap((example, index) =>
    example.height === first?.height && example.width === first.width ? [index] : [],
  );
  const start = alike.indexOf(lead);
  return Array.from({ length: count }, (_, i) => alike[(start * count + i) % alike.length] ?? lead);
}

function elementsOf(shape: TrainingShape, channels: number): number {
  return shape.batch * shape.height * shape.width * channels;
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / Math.max(1, values.length);
}
