/**
 * The run in progress, as seen from the page: turns the engine's events into what rooms show, and writes every
 * checkpoint before going on. When a write fails the run pauses and keeps the bytes until there is room.
 */
import type { WeftError } from "../base/errors";
import type { CheckpointSlots, Snapshot } from "../storage/slots";
import type { MemoryPlan, TrainEvent, TrainOutcome, TrainRequest } from "../workers/engine/api";
import type { EngineClient, TrainingHandle } from "../workers/engine/client";
import { fromFailure } from "../workers/failure";
import { showError, showWarning } from "./notices";
import type { RunRecord } from "./records";
import type { RunLog } from "./runLog.svelte";

export type { MemoryPlan };

export type Stage = "reading" | Extract<TrainEvent, { kind: "stage" }>["stage"];

export interface StageProgress {
  stage: Stage;
  done: number;
  total: number;
}

/** What a live run needs from the list that owns it. */
export interface RunKeeper {
  slots: CheckpointSlots;
  update(id: string, change: Partial<RunRecord>): Promise<void>;
}

export class LiveRun {
  readonly id: string;
  readonly log: RunLog;
  stage = $state.raw<StageProgress>({ stage: "reading", done: 0, total: 0 });
  step = $state(0);
  total = $state(0);
  loss = $state(0);
  secondsPerStep = $state(0);
  secondsLeft = $state(0);
  paused = $state(false);
  /** The person asked to stop; the file is being made. */
  stopping = $state(false);
  plan = $state.raw<MemoryPlan>();
  /** A checkpoint that could not be written; the run waits. */
  unsaved = $state.raw<WeftError>();
  warnings = $state.raw<string[]>([]);
  progress = $derived(this.total > 0 ? this.step / this.total : 0);

  #keeper: RunKeeper;
  #handle: TrainingHandle | undefined;
  #waiting: Snapshot | undefined;
  #writes: Promise<void> = Promise.resolve();
  #abort = new AbortController();

  constructor(record: RunRecord, log: RunLog, keeper: RunKeeper) {
    this.id = record.id;
    this.log = log;
    this.step = record.step;
    this.total = record.settings.steps;
    this.#keeper = keeper;
  }

  /** Aborts when the person stops before the engine has the pictures. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Hands the run to the engine; resolves when it ended and everything it produced is on disk. */
  async train(engine: EngineClient, request: TrainRequest): Promise<TrainOutcome> {
    this.#abort.signal.throwIfAborted();
    this.#handle = engine.train(request, (event) => this.#onEvent(event));
    const outcome = await this.#handle.outcome;
    await this.#writes;
    await this.log.save();
    return outcome;
  }

  async pause(): Promise<void> {
    await this.#ask((handle) => handle.pause());
    this.paused = true;
    await this.#keeper.update(this.id, { status: "paused" });
  }

  /** Goes on after a pause; writes the waiting checkpoint first when there is one. */
  async resume(): Promise<void> {
    if (this.#waiting) await this.#persist(this.#waiting);
    if (this.unsaved) return;
    await this.#ask((handle) => handle.resume());
    this.paused = false;
    await this.#keeper.update(this.id, { status: "training" });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (!this.#handle) this.#abort.abort(new DOMException("Stopped before the first step", "AbortError"));
    await this.#ask((handle) => handle.stop());
  }

  sampleNow(): Promise<void> {
    return this.#ask((handle) => handle.sampleNow());
  }

  saveNow(): Promise<void> {
    return this.#ask((handle) => handle.saveNow());
  }

  async #ask(verb: (handle: TrainingHandle) => Promise<void>): Promise<void> {
    if (!this.#handle) return;
    await verb(this.#handle).catch((reason: unknown) => showError(reason));
  }

  #onEvent(event: TrainEvent): void {
    switch (event.kind) {
      case "stage":
        this.stage = { stage: event.stage, done: event.done, total: event.total };
        break;
      case "plan":
        this.plan = event.plan;
        break;
      case "step":
        this.#onStep(event);
        break;
      case "sample":
        this.#queue(() => this.log.addSample(event.step, event.image));
        break;
      case "checkpoint":
        this.#queue(() => this.#persist({ ...event.checkpoint, lora: event.loraBytes }));
        break;
      case "warning":
        this.#warn(event.message);
    }
  }

  #onStep(event: Extract<TrainEvent, { kind: "step" }>): void {
    this.stage = { stage: "training", done: event.step, total: event.total };
    this.step = event.step;
    this.total = event.total;
    this.loss = event.loss;
    this.secondsPerStep = event.secondsPerStep;
    this.secondsLeft = event.secondsLeft;
    this.log.add({ step: event.step, loss: event.loss, lr: event.lr, seconds: event.secondsPerStep });
  }

  async #persist(snapshot: Snapshot): Promise<void> {
    try {
      await this.#keeper.slots.save(this.id, snapshot);
      await this.log.save();
      await this.#keeper.update(this.id, {
        step: snapshot.step,
        savedStep: snapshot.step,
        secondsPerStep: this.secondsPerStep,
      });
      this.#waiting = undefined;
      this.unsaved = undefined;
    } catch (reason) {
      this.#waiting = snapshot;
      this.unsaved = fromFailure(reason);
      if (!this.paused) await this.pause().catch(() => undefined);
    }
  }

  /** One write after the other, in the order of the events. */
  #queue(work: () => Promise<void>): void {
    this.#writes = this.#writes.then(work).catch((reason: unknown) => showError(reason));
  }

  #warn(message: string): void {
    this.warnings = [...this.warnings, message];
    showWarning(message);
  }
}
