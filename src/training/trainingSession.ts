/**
 * The GPU side of a run: flat LoRA buffers, one compiled step per picture shape in one shared arena. It does what it is
 * told with the latents, noise and timesteps it is given; drawing them is the trainer's job.
 */
import { invariant } from "../base/errors";
import { concatenate } from "../base/layout";
import { alphasCumprod } from "../diffusion/noiseSchedule";
import { sizeEmbedding, type SizeCondition } from "../diffusion/sizeEmbedding";
import { timestepEmbedding } from "../diffusion/timestepEmbedding";
import { Arena, arenaPiece } from "../engine/arena";
import { ParameterBuffers, ParameterLayout } from "../engine/parameters";
import type { ExecutionPlan } from "../engine/planner";
import { Program } from "../engine/program";
import { ReadbackRing } from "../engine/readbackRing";
import { STEP_SCALAR_COUNT, STEP_SCALARS } from "../engine/stepScalars";
import type { Tensor } from "../engine/tensor";
import type { ModelFamily } from "../models/family";
import type { LoadedModel, Progress } from "../models/loadedModel";
import type { LoraBinding } from "../models/lora/binding";
import { namedText, textInputs } from "../models/inputs/text";
import { leastRecompute, type RecomputeChoice } from "./leastRecompute";
import { buildTrainingGraph, planTraining, type TrainingGraph, type TrainingShape } from "./trainingGraph";

export interface SessionOptions extends RecomputeChoice {
  readonly lora: LoraBinding;
  readonly trainTextEncoder: boolean;
  readonly clipSkip: number;
  /** Every micro-batch comes with a mask. */
  readonly masked?: boolean;
  /** Extra outputs to keep for reading (golden checks); default none. */
  readonly keepPrediction?: boolean;
}

export interface OptimizerSettings {
  readonly learningRate: number;
  readonly textEncoderLearningRate: number;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 0 turns clipping off. */
  readonly maxGradNorm: number;
  /** 1-based count of optimizer updates, for bias correction. */
  readonly update: number;
}

/** What one micro-batch feeds the network. */
export interface StepInputs {
  /** Scaled clean latents and noise, `[batch, height, width, channels]`. */
  readonly latents: Float32Array<ArrayBuffer>;
  readonly noise: Float32Array<ArrayBuffer>;
  /** How much each latent pixel counts, 0…1, `[batch, height, width]`; of masked sessions. */
  readonly mask?: Float32Array<ArrayBuffer>;
  /** 0…999, one per image. */
  readonly timesteps: readonly number[];
  /** Factor on each image's loss. */
  readonly weights: readonly number[];
  /** Text states of all images, unless the text encoder is trained; `pooled` in families that have it. */
  readonly context?: Float32Array<ArrayBuffer>;
  readonly pooled?: Float32Array<ArrayBuffer>;
  /** Token ids `[77]` of each image's caption, when it is. */
  readonly captions?: readonly (readonly number[])[];
  /** Sizes of each image, in families that read them. */
  readonly sizes?: readonly SizeCondition[];
}

interface CompiledStep {
  readonly training: TrainingGraph;
  readonly program: Program;
  readonly coefficients: Float32Array<ArrayBuffer>;
  readonly embedding: Float32Array<ArrayBuffer>;
}

export interface UpdateReport {
  /** Weighted mean squared error of each image. */
  readonly weighted: readonly number[];
  /** Before clipping. */
  readonly gradientNorm: number;
  /** The update was left out because something was not finite. */
  readonly skipped: boolean;
}

/** Updates that may be queued before the first one's losses are in: while the GPU works on one, the next is encoded. */
export const STEPS_IN_FLIGHT = 2;

/** Gradients of half-precision activations are kept clear of the underflow limit by this factor. */
const HALF_LOSS_SCALE = 1024;

export class TrainingSession {
  readonly layout: ParameterLayout;
  readonly buffers: ParameterBuffers;
  readonly lora: LoraBinding;
  /** Plans by shape, largest first is the one that decides the arena. */
  readonly plans: ReadonlyMap<string, ExecutionPlan>;
  readonly #arena: Arena;
  readonly #steps: ReadonlyMap<string, CompiledStep>;
  readonly #ring: ReadbackRing;
  readonly #scalars = new Float32Array(STEP_SCALAR_COUNT);
  readonly #alphas = alphasCumprod();
  readonly #embeddingWidth: number;
  readonly #family: ModelFamily;
  readonly #sizeEmbeddingDim: number;

  private constructor(model: LoadedModel, options: SessionOptions, parts: SessionParts) {
    this.layout = parts.layout;
    this.buffers = parts.buffers;
    this.lora = options.lora;
    this.plans = parts.plans;
    this.#arena = parts.arena;
    this.#steps = parts.steps;
    const largestBatch = Math.max(
      0,
      ...[...parts.steps.values()].map(({ training }) => training.losses.shape[0] ?? 0),
    );
    this.#ring = new ReadbackRing(model.device, 16 * (largestBatch + 1), STEPS_IN_FLIGHT);
    this.#embeddingWidth = model.config.unet.channels[0] ?? 0;
    this.#family = model.family;
    this.#sizeEmbeddingDim = model.config.unet.sizeEmbeddingDim ?? 0;
    this.#scalars[STEP_SCALARS.lossScale] = model.activationType === "f16" ? HALF_LOSS_SCALE : 1;
  }

  /**
   * Plans, allocates and compiles a step for every shape.
   * @throws WeftError when the adapter cannot hold it
   */
  static async create(
    model: LoadedModel,
    shapes: readonly TrainingShape[],
    options: SessionOptions,
    onProgress?: Progress,
  ): Promise<TrainingSession> {
    const layout = new ParameterLayout();
    const { device } = model;
    const build = (shape: TrainingShape, redoneBlocks: number) => {
      const training = buildTrainingGraph({
        ...options,
        ...{ shape, redoneBlocks, parameters: layout },
        family: model.family,
        config: model.config,
        activationType: model.activationType,
      });
      if (options.keepPrediction) training.graph.keep(training.prediction);
      const plan = planTraining(training, device.policy, model.weights.requested, arenaPiece(device));
      return { shape, training, plan };
    };
    const largest = shapes.toSorted((a, b) => pixels(b) - pixels(a))[0];
    const redone = largest && leastRecompute((blocks) => build(largest, blocks), options);
    const planned = shapes.map((shape) =>
      redone?.shape === shape ? redone : build(shape, redone?.training.redoneBlocks ?? 0),
    );
    const buffers = new ParameterBuffers(device, layout);
    const arena = new Arena(device, Math.max(0, ...planned.map(({ plan }) => plan.arenaBytes)));
    const steps = new Map<string, CompiledStep>();
    for (const { shape, training, plan } of planned) {
      await model.loadWeights(training.graph);
      const program = await Program.compile(
        device,
        plan,
        { weights: model.weights, parameters: buffers, arena },
        onProgress,
      );
      const embedding = new Float32Array(shape.batch * (model.config.unet.channels[0] ?? 0));
      steps.set(shapeKey(shape), {
        training,
        program,
        embedding,
        coefficients: new Float32Array(4 * shape.batch),
      });
    }
    const plans = new Map(planned.map(({ shape, plan }) => [shapeKey(shape), plan]));
    const session = new TrainingSession(model, options, { layout, buffers, arena, steps, plans });
    for (const role of ["gradient", "moment1", "moment2"] as const)
      buffers.write(role, new Float32Array(layout.length));
    return session;
  }

  /**
   * Queues one micro-batch.
   * @param until `forward` only evaluates, `backward` collects gradients, `update` also steps the optimizer
   * @param accumulate adds to the gradients of earlier micro-batches instead of overwriting them
   */
  queue(
    shape: TrainingShape,
    inputs: StepInputs,
    until: "forward" | "backward" | "update",
    accumulate = false,
    optimizer?: OptimizerSettings,
  ): void {
    const step = this.#step(shape);
    this.#fill(step, inputs);
    this.#scalars[STEP_SCALARS.accumulate] = accumulate ? 1 : 0;
    if (optimizer) this.#setOptimizer(optimizer);
    step.program.write(step.training.inputs.scalars, this.#scalars);
    step.program.run(until);
  }

  /** Mean squared error of each image in the last micro-batch of this shape, unweighted and weighted. */
  async readLosses(shape: TrainingShape): Promise<{ unweighted: number[]; weighted: number[] }> {
    const step = this.#step(shape);
    const values = await step.program.read(step.training.losses);
    const column = (offset: number) =>
      Array.from({ length: shape.batch }, (_, image) => values[4 * image + offset] ?? Number.NaN);
    return { weighted: column(0), unweighted: column(1) };
  }

  /**
   * What the last queued update of this shape came to. Asked for at once after {@link queue}, it is right whatever is
   * queued behind it; at most {@link STEPS_IN_FLIGHT} may be awaited at a time.
   */
  async readUpdate(shape: TrainingShape): Promise<UpdateReport> {
    const { training, program } = this.#step(shape);
    const { losses, optimizer } = training;
    const values = new Float32Array(
      await this.#ring.capture([program.kept(losses), program.kept(optimizer)]),
    );
    const weighted = Array.from({ length: shape.batch }, (_, image) => values[4 * image] ?? Number.NaN);
    const [gradientNorm = Number.NaN, skipped = 0] = values.subarray(4 * shape.batch);
    return { weighted, gradientNorm, skipped: skipped !== 0 };
  }

  /** `[batch, height, width, channels]`; only with `keepPrediction`. */
  readPrediction(shape: TrainingShape): Promise<Float32Array> {
    const step = this.#step(shape);
    return step.program.read(step.training.prediction);
  }

  /** Tells a shape's program how long a step takes, so that submissions are cut at the right length. */
  learnSpeed(shape: TrainingShape, seconds: number): void {
    this.#step(shape).program.learnSpeed(seconds);
  }

  dispose(): void {
    for (const { program } of this.#steps.values()) program.dispose();
    this.#arena.dispose();
    this.#ring.dispose();
    this.buffers.dispose();
  }

  #step(shape: TrainingShape): CompiledStep {
    const step = this.#steps.get(shapeKey(shape));
    invariant(step, () => `no step was compiled for ${shapeKey(shape)}`);
    return step;
  }

  #fill({ training, program, coefficients, embedding }: CompiledStep, inputs: StepInputs): void {
    inputs.timesteps.forEach((t, image) => {
      const alpha = this.#alphas[t] ?? Number.NaN;
      coefficients[4 * image] = Math.sqrt(alpha);
      coefficients[4 * image + 1] = Math.sqrt(1 - alpha);
      coefficients[4 * image + 2] = inputs.weights[image] ?? 1;
      embedding.set(timestepEmbedding(t, this.#embeddingWidth), image * this.#embeddingWidth);
    });
    const write = (
      tensor: Tensor | undefined,
      data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | undefined,
    ) => {
      if (tensor && data) program.write(tensor, data);
    };
    write(training.inputs.latents, inputs.latents);
    write(training.inputs.noise, inputs.noise);
    write(training.inputs.coefficients, coefficients);
    write(training.inputs.mask, inputs.mask);
    write(training.inputs.timestepEmbedding, embedding);
    const { states, text, sizes } = training.inputs;
    write(states?.context, inputs.context);
    write(states?.pooled, inputs.pooled);
    if (text && inputs.captions) {
      const values = textInputs(this.#family, inputs.captions);
      for (const [name, tensor] of namedText(text)) write(tensor, values.get(name));
    }
    const width = this.#sizeEmbeddingDim;
    write(sizes, inputs.sizes && concatenate(inputs.sizes.map((size) => sizeEmbedding(size, width))));
  }

  #setOptimizer(settings: OptimizerSettings): void {
    const scalars = this.#scalars;
    scalars[STEP_SCALARS.learningRate] = settings.learningRate;
    scalars[STEP_SCALARS.textEncoderLearningRate] = settings.textEncoderLearningRate;
    scalars[STEP_SCALARS.biasCorrection1] = 1 - settings.beta1 ** settings.update;
    scalars[STEP_SCALARS.biasCorrection2Sqrt] = Math.sqrt(1 - settings.beta2 ** settings.update);
    scalars[STEP_SCALARS.maxGradNorm] = settings.maxGradNorm;
    scalars[STEP_SCALARS.weightDecay] = settings.weightDecay;
    scalars[STEP_SCALARS.beta1] = settings.beta1;
    scalars[STEP_SCALARS.beta2] = settings.beta2;
    scalars[STEP_SCALARS.epsilon] = settings.epsilon;
  }
}

interface SessionParts {
  readonly layout: ParameterLayout;
  readonly buffers: ParameterBuffers;
  readonly arena: Arena;
  readonly steps: ReadonlyMap<string, CompiledStep>;
  readonly plans: ReadonlyMap<string, ExecutionPlan>;
}

function pixels({ batch, height, width }: TrainingShape): number {
  return batch * height * width;
}

export function shapeKey({ batch, height, width, tokens }: TrainingShape): string {
  return `${batch}×${height}×${width}, ${tokens} tokens`;
}
