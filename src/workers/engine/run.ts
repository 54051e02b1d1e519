/**
 * A training run from pictures to a file: prepare, measure, train, sample, save. It knows neither the page nor Node;
 * what differs comes in through {@link RunHost}.
 */
import { sha256 } from "../../formats/lora/hashes";
import { loraModules } from "../../formats/lora/modules";
import type { ClipTokenizer } from "../../formats/tokenizer/clipTokenizer";
import { LoraStack } from "../../models/lora/apply";
import { bindTarget, type LoraTarget } from "../../models/lora/binding";
import type { LoadedModel } from "../../models/loadedModel";
import { Trainer, type StepReport, type TrainerSettings } from "../../training/trainer";
import { STEPS_IN_FLIGHT } from "../../training/trainingSession";
import type {
  FixedNoiseLoss,
  GenerateRequest,
  GeneratedImage,
  MemoryPlan,
  RunCheckpoint,
  TrainEvent,
  TrainingSettings,
  TrainOutcome,
  TrainRequest,
} from "./api";
import { exportLora, type RunFacts } from "./exportLora";
import { generatePicture, type EncodePng, type GenerateTools } from "./generate";
import { planSummary } from "./plan";
import type { JobControl } from "./jobControl";
import { prepareData, type PreparedData } from "./prepare";

export interface RunHost {
  readonly model: LoadedModel;
  readonly modelSha256: string;
  readonly tokenizer: ClipTokenizer;
  readonly encodePng: EncodePng;
  readonly control: JobControl;
  readonly onEvent: (event: TrainEvent) => void;
  /** Unix seconds; a fixed clock gives byte-identical files. */
  readonly now: () => number;
  /** Whether others wait for the GPU: then the run stops at the next step's end. */
  readonly isGpuWanted?: () => boolean;
  /** Called where the run stops between steps, so that others may use the GPU. */
  readonly betweenSteps?: (run: LiveRun) => Promise<void>;
}

/** A run as pictures see it: the name its tag has, and how to get its weights. */
export interface LiveRun {
  readonly name: string;
  readonly trainer: Trainer;
}

/** What a sample is drawn with: the run's name and its LoRA as it is now. */
type LiveWeights = NonNullable<GenerateTools["live"]>;

/** Consecutive updates without a finite gradient after which a run gives up. */
const MAX_SKIPPED = 20;
/** Weight of the newest step in the speed that the time left is made from. */
const SPEED_SMOOTHING = 0.1;

/** @throws WeftError when pictures, settings or the GPU do not allow the run */
export async function runTraining(request: TrainRequest, host: RunHost): Promise<TrainOutcome> {
  const run = new Run(request, host);
  try {
    return await run.execute();
  } finally {
    run.dispose();
  }
}

/** The trainer's settings of the person's. */
export function trainerSettings(settings: TrainingSettings): TrainerSettings {
  return { ...settings, recompute: settings.gradientCheckpointing };
}

/** Exactly the modules kohya targets; the text encoder's only when it is trained. */
export function trainingTargets(model: LoadedModel, trainTextEncoder: boolean): LoraTarget[] {
  return loraModules(model.config)
    .filter(({ part }) => part === "unet" || trainTextEncoder)
    .map(bindTarget);
}

class Run {
  readonly #request: TrainRequest;
  readonly #host: RunHost;
  readonly #stack: LoraStack;
  readonly #startedAt: number;
  #trainer: Trainer | undefined;
  #data: PreparedData | undefined;
  #secondsPerStep = 0;
  #skipped = 0;
  #hasBaseSample = false;

  constructor(request: TrainRequest, host: RunHost) {
    this.#request = request;
    this.#host = host;
    this.#stack = new LoraStack(host.model);
    this.#startedAt = host.now();
  }

  async execute(): Promise<TrainOutcome> {
    const started = performance.now();
    const trainer = await this.#prepare();
    const { settings } = this.#request;
    this.#stage("training", trainer.step, settings.steps);
    while (trainer.step < settings.steps && !this.#host.control.cancelled) await this.#advance(trainer);
    await this.#catchUp(trainer);
    await this.#sample(trainer);
    const fixedNoiseLoss = await this.#measure(trainer);
    this.#stage("saving", 0, 1);
    const lora = await exportLora(trainer, this.#facts());
    const status = trainer.step >= settings.steps ? "finished" : "stopped";
    const seconds = (performance.now() - started) / 1000;
    return {
      status,
      steps: trainer.step,
      seconds,
      ...(fixedNoiseLoss && { fixedNoiseLoss }),
      lora,
    };
  }

  dispose(): void {
    this.#trainer?.dispose();
    this.#stack.dispose();
  }

  async #prepare(): Promise<Trainer> {
    const { model, tokenizer, control } = this.#host;
    const { settings, images, resumeFrom } = this.#request;
    await model.releasePrograms();
    this.#data = await prepareData(model, tokenizer, images, settings, control, (done, total) =>
      this.#stage("encoding", done, total),
    );
    this.#stage("compiling", 0, 1);
    const targets = trainingTargets(model, settings.trainTextEncoder);
    const trainer = await Trainer.create(model, this.#data, trainerSettings(settings), targets, {
      ...(resumeFrom && { checkpoint: resumeFrom.bytes }),
      onProgress: (done, total) => this.#stage("compiling", done, total),
    });
    this.#trainer = trainer;
    if (trainer.resumedElsewhere) {
      this.#warn(
        "other-kernels",
        "This run began on another graphics processor or browser: it goes on, with slightly other rounding.",
      );
    }
    await model.releasePrograms();
    this.#host.onEvent({ kind: "plan", plan: largestPlan(trainer) });
    return trainer;
  }

  /** Queues a step; only where something has to happen between two steps does it wait for the GPU to be done. */
  async #advance(trainer: Trainer): Promise<void> {
    await trainer.prepareStep();
    trainer.queueStep();
    if (!this.#isBoundary(trainer.step)) {
      if (trainer.inFlight === STEPS_IN_FLIGHT) this.#report(await trainer.nextReport());
      return;
    }
    await this.#catchUp(trainer);
    await this.#between(trainer);
  }

  /** Waits for every queued step. */
  async #catchUp(trainer: Trainer): Promise<void> {
    while (trainer.inFlight > 0) this.#report(await trainer.nextReport());
  }

  #isBoundary(step: number): boolean {
    const { control, isGpuWanted } = this.#host;
    return (
      step === this.#request.settings.steps ||
      this.#wantsSave(step) ||
      this.#wantsSample(step) ||
      control.wantsStop ||
      isGpuWanted?.() === true
    );
  }

  #wantsSave(step: number): boolean {
    return this.#host.control.saveRequested || isDue(this.#request.settings.saveEvery, step);
  }

  /** The picture of the last step is drawn after the run's end. */
  #wantsSample(step: number): boolean {
    const { sampleEvery, steps } = this.#request.settings;
    return this.#host.control.sampleRequested || (isDue(sampleEvery, step) && step !== steps);
  }

  async #between(trainer: Trainer): Promise<void> {
    const { control, betweenSteps } = this.#host;
    if (this.#wantsSave(trainer.step)) await this.#save(trainer);
    if (this.#wantsSample(trainer.step)) await this.#sample(trainer);
    await betweenSteps?.({ name: this.#request.settings.name, trainer });
    await control.whilePaused();
  }

  #report(report: StepReport): void {
    const { steps } = this.#request.settings;
    const isFirst = this.#secondsPerStep === 0;
    this.#secondsPerStep += (report.seconds - this.#secondsPerStep) * (isFirst ? 1 : SPEED_SMOOTHING);
    this.#host.onEvent({
      kind: "step",
      step: report.step,
      total: steps,
      loss: report.loss,
      lr: report.learningRate,
      secondsPerStep: report.seconds,
      secondsLeft: this.#secondsPerStep * (steps - report.step),
    });
    this.#skipped = report.skipped ? this.#skipped + 1 : 0;
    if (this.#skipped === 1)
      this.#warn("update-skipped", "A step gave numbers that are not finite; it was left out.");
    if (this.#skipped === MAX_SKIPPED) {
      this.#warn(
        "diverged",
        `${MAX_SKIPPED} steps in a row gave no usable numbers: the run was stopped. Try a lower learning rate.`,
      );
      this.#host.control.cancel();
    }
  }

  #warn(code: string, message: string): void {
    this.#host.onEvent({ kind: "warning", code, message });
  }

  async #save(trainer: Trainer): Promise<void> {
    this.#host.control.saveRequested = false;
    const bytes = await trainer.checkpoint();
    const checkpoint: RunCheckpoint = { step: trainer.step, checksum: await sha256([bytes]), bytes };
    const { bytes: loraBytes } = await exportLora(trainer, this.#facts());
    this.#host.onEvent({ kind: "checkpoint", checkpoint, loraBytes });
  }

  /** A picture with the weights as they are; the first time also one without, to see the difference by. */
  async #sample(trainer: Trainer): Promise<void> {
    const { control, onEvent } = this.#host;
    control.sampleRequested = false;
    const { samplePrompt, name } = this.#request.settings;
    if (samplePrompt === "") return;
    if (!this.#hasBaseSample)
      onEvent({ kind: "sample", step: 0, image: await this.#picture(samplePrompt, undefined) });
    this.#hasBaseSample = true;
    if (trainer.step === 0) return;
    const prompt = samplePrompt.includes("<lora:") ? samplePrompt : `${samplePrompt} <lora:${name}:1>`;
    const live = { name, matrices: await trainer.lora() };
    onEvent({ kind: "sample", step: trainer.step, image: await this.#picture(prompt, live) });
  }

  async #picture(prompt: string, live: LiveWeights | undefined): Promise<GeneratedImage> {
    const { model, modelSha256, tokenizer, encodePng } = this.#host;
    try {
      return await generatePicture(sampleRequest(this.#request.settings, prompt), {
        model,
        modelHash: modelSha256,
        stack: this.#stack,
        tokenizer,
        encodePng,
        ...(live && { live }),
        onEvent: () => undefined,
      });
    } finally {
      await model.releasePrograms();
    }
  }

  /**
   * The loss of the same draws without and with what was learned. At the end, so that the first step does not wait: an
   * untrained LoRA does nothing.
   */
  async #measure(trainer: Trainer): Promise<FixedNoiseLoss | undefined> {
    const draws = this.#request.settings.fixedNoiseDraws;
    if (draws === 0) return undefined;
    this.#stage("measuring", 0, 2 * draws);
    const before = await trainer.untrainedLoss(draws, (done) => this.#stage("measuring", done, 2 * draws));
    const after = await trainer.fixedNoiseLoss(draws, (done) =>
      this.#stage("measuring", draws + done, 2 * draws),
    );
    return { before, after };
  }

  #facts(): RunFacts {
    const { model, modelSha256, now } = this.#host;
    const { examples = [], texts = [] } = this.#data ?? {};
    return {
      settings: this.#request.settings,
      model,
      modelSha256,
      examples,
      captions: texts,
      startedAt: this.#startedAt,
      finishedAt: now(),
    };
  }

  #stage(stage: Extract<TrainEvent, { kind: "stage" }>["stage"], done: number, total: number): void {
    this.#host.onEvent({ kind: "stage", stage, done, total });
  }
}

/** Whether something done every so many steps is done after this one; 0 is never. */
function isDue(every: number, step: number): boolean {
  return every > 0 && step % every === 0;
}

/** Sample pictures keep seed and settings, so that only the training changes them. */
function sampleRequest(settings: TrainingSettings, prompt: string): Omit<GenerateRequest, "modelId"> {
  const size = 8 * Math.round(settings.resolution / 8);
  return {
    prompt,
    negativePrompt: "",
    steps: 20,
    cfgScale: settings.resolution <= 256 ? 5 : 7,
    width: size,
    height: size,
    seed: settings.seed,
    sampler: "dpmpp_2m",
    scheduler: "automatic",
    clipSkip: settings.clipSkip,
    loras: [],
  };
}

function largestPlan(trainer: Trainer): MemoryPlan {
  const plans = [...trainer.session.plans.values()].map(planSummary);
  return plans.reduce((largest, plan) => (plan.bytes.total > largest.bytes.total ? plan : largest));
}
