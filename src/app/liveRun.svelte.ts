/**
 * The run in progress, as seen from the page: turns the engine's events into what rooms show, and writes every
 * checkpoint before going on. When a write fails the run pauses and keeps the bytes until there is room.
 */
import type { WeftError } from "../base/errors";
import type { CheckpointSlots, Snapshot } from "../storage/slots";
import type { LoraFile, MemoryPlan, TrainEvent, TrainOutcome, TrainRequest } from "../workers/engine/api";
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
  /** The finished file, before it is stored. */
  file = $state.raw<LoraFile>();
  progress = $derived(this.total > 0 ? this.step / this.total : 0);

  #keeper: RunKeeper;
  #handle: TrainingHandle | undefined;
  /** Writes that failed and are tried again when the person goes on. */
  #waiting: (() => Promise<void>)[] = [];
  /** Ends the wait of {@link insist}. */
  #tryAgain: (() => void) | undefined;
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

  /** Hands the run to the engine; resolves when it ended and its checkpoints are written. */
  async train(engine: EngineClient, request: TrainRequest): Promise<TrainOutcome> {
    this.#abort.signal.throwIfAborted();
    this.#handle = engine.train(request, (event) => this.#onEvent(event));
    const outcome = await this.#handle.outcome;
    this.file = outcome.lora;
    await this.#writes;
    return outcome;
  }

  async pause(): Promise<void> {
    await this.#ask((handle) => handle.pause());
    this.paused = true;
    await this.#note("paused");
  }

  /** Does a write whose loss would be the run's: as often as it fails the person is asked, and it is tried again. */
  async insist<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (reason) {
        this.unsaved = fromFailure(reason);
        await new Promise<void>((resolve) => (this.#tryAgain = resolve));
        this.#tryAgain = undefined;
        this.unsaved = undefined;
      }
    }
  }

  /** Goes on after a pause, once everything that could not be written is. */
  async resume(): Promise<void> {
    if (this.#tryAgain) return this.#tryAgain();
    await this.#retry();
    if (this.unsaved) return;
    await this.#ask((handle) => handle.resume());
    this.paused = false;
    await this.#note("training");
  }

  /** Writes the status down; on a full disk it is only shown. */
  async #note(status: RunRecord["status"]): Promise<void> {
    await this.#keeper.update(this.id, { status }).catch(() => undefined);
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
        this.log.addSample(event.step, event.image);
        this.#queue(() => this.log.save());
        break;
      case "checkpoint":
        this.#queue(() => this.#saveCheckpoint({ ...event.checkpoint, lora: event.loraBytes }));
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

  async #saveCheckpoint(snapshot: Snapshot): Promise<void> {
    await this.#keeper.slots.save(this.id, snapshot);
    await this.log.save();
    const { step } = snapshot;
    await this.#keeper.update(this.id, { step, savedStep: step, secondsPerStep: this.secondsPerStep });
  }

  /** Does a write; one that fails is kept, and the run pauses until it succeeds. */
  async #keep(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (reason) {
      this.#waiting.push(write);
      this.unsaved = fromFailure(reason);
      if (!this.paused) await this.pause();
    }
  }

  /** Does the writes that failed again; those that still fail keep waiting. */
  async #retry(): Promise<void> {
    const writes = this.#waiting;
    this.#waiting = [];
    this.unsaved = undefined;
    for (const write of writes) await this.#keep(write);
  }

  /** One write after the other, in the order of the events. */
  #queue(write: () => Promise<void>): void {
    this.#writes = this.#writes.then(() => this.#keep(write));
  }

  #warn(message: string): void {
    this.warnings = [...this.warnings, message];
    showWarning(message);
  }
}
