/** The engine worker as the page uses it: starts it, passes events on, cancels, survives its death. */
import { proxy, transfer } from "comlink";
import { Connection } from "../connect";
import type {
  EngineWorker,
  GeneratedImage,
  GenerateEvent,
  GenerateRequest,
  GpuReport,
  ModelSource,
  ModelSummary,
  PlannedChoice,
  StepChoice,
  TrainEvent,
  TrainOutcome,
  TrainRequest,
} from "./api";

/** A run under way. The verbs act at the next step boundary. */
export interface TrainingHandle {
  outcome: Promise<TrainOutcome>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the run; `outcome` then resolves with a usable file. */
  stop(): Promise<void>;
  sampleNow(): Promise<void>;
  saveNow(): Promise<void>;
}

export class EngineClient {
  #connection = new Connection<EngineWorker>(
    "training engine",
    () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "engine" }),
  );

  probe(): Promise<GpuReport> {
    return this.#connection.call((engine) => engine.probe());
  }

  openModel(
    source: ModelSource,
    onProgress: (done: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<ModelSummary> {
    const job = this.#job(signal);
    return this.#connection.call((engine) => engine.openModel(job, source, proxy(onProgress)), signal);
  }

  warmUp(modelId: string, choice: StepChoice): Promise<void> {
    return this.#connection.call((engine) => engine.warmUp(modelId, choice));
  }

  planChoices(modelId: string, choices: StepChoice[]): Promise<PlannedChoice[]> {
    return this.#connection.call((engine) => engine.planChoices(modelId, choices));
  }

  tryMemory(bytes: number): Promise<number> {
    return this.#connection.call((engine) => engine.tryMemory(bytes));
  }

  /** Starts a run. The pictures' pixels move to the worker and are gone here. */
  train(request: TrainRequest, onEvent: (event: TrainEvent) => void): TrainingHandle {
    const job = crypto.randomUUID();
    const pixels = request.images.map((image) => image.pixels.buffer);
    const ask = (verb: "pause" | "resume" | "cancel" | "sampleNow" | "saveNow") => (): Promise<void> =>
      this.#connection.call((engine) => engine[verb](job));
    return {
      outcome: this.#connection.call((engine) =>
        engine.train(job, transfer(request, pixels), proxy(onEvent)),
      ),
      pause: ask("pause"),
      resume: ask("resume"),
      stop: ask("cancel"),
      sampleNow: ask("sampleNow"),
      saveNow: ask("saveNow"),
    };
  }

  generate(
    request: GenerateRequest,
    onEvent: (event: GenerateEvent) => void,
    signal?: AbortSignal,
  ): Promise<GeneratedImage> {
    const job = this.#job(signal);
    return this.#connection.call((engine) => engine.generate(job, request, proxy(onEvent)), signal);
  }

  /** A job id whose work ends when `signal` aborts. */
  #job(signal: AbortSignal | undefined): string {
    const job = crypto.randomUUID();
    const cancel = (): void =>
      void this.#connection.call((engine) => engine.cancel(job)).catch(() => undefined);
    signal?.addEventListener("abort", cancel, { once: true });
    return job;
  }
}
