/** The GPU and the base model: what is there, what is chosen, what is being opened. */
import * as v from "valibot";
import { WeftError } from "../base/errors";
import type { GpuReport, ModelSource, ModelSummary } from "../workers/engine/api";
import type { EngineClient } from "../workers/engine/client";
import { fromFailure, isAbort } from "../workers/failure";
import { parseBuiltins, type BuiltinModel } from "./records";

export type { ModelSummary };

const builtinFolder = "models/";
/** Name of the measure, in the browser's own timeline, from asking for a model to its first weights read. */
const MODEL_OPENED = "weft-model-opened";

export interface Opening {
  title: string;
  done: number;
  total: number;
}

export class Models {
  report = $state.raw<GpuReport>();
  builtins = $state.raw<BuiltinModel[]>([]);
  /** The model that is loaded in the engine. */
  current = $state.raw<ModelSummary>();
  /** Where `current`, or the one being opened, comes from. */
  source = $state.raw<ModelSource>();
  opening = $state.raw<Opening>();
  error = $state.raw<WeftError>();
  usable = $derived(this.report?.verdict === "ready" || this.report?.verdict === "software");

  #engine: EngineClient;
  #abort: AbortController | undefined;
  #underway: Promise<ModelSummary> | undefined;
  #started: Promise<void> = Promise.resolve();

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** Looks at the GPU and opens the model that was open last, or the built-in one. */
  start(): Promise<void> {
    this.#started = this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const [report, builtins] = await Promise.all([this.#probe(), loadBuiltins()]);
    this.builtins = builtins;
    this.report = report;
    if (!this.usable) return;
    const last = lastKept();
    const reopened = last && (await this.open(last).catch(() => undefined));
    if (!reopened) await this.openBuiltin();
  }

  /** The model that is always there. */
  async openBuiltin(): Promise<void> {
    const [first] = this.builtins;
    if (first) await this.open(builtinSource(first)).catch(() => undefined);
  }

  /** The loaded model; opens it first when the engine was restarted since. */
  async ready(): Promise<ModelSummary> {
    if (this.current) return this.current;
    await (this.#underway ?? this.#started);
    if (this.current) return this.current;
    if (!this.source) throw new WeftError("no-model", "No model is open.", "Choose one in the Model room.");
    return this.open(this.source);
  }

  /** Opens `source` in place of the present one. On failure the present one stays chosen. */
  async open(source: ModelSource): Promise<ModelSummary> {
    this.cancel();
    const abort = new AbortController();
    this.#abort = abort;
    const previous = { source: this.source, current: this.current };
    this.source = source;
    this.error = undefined;
    this.opening = { title: titleOf(source), done: 0, total: 0 };
    const began = performance.now();
    const work = this.#engine.openModel(
      source,
      (done, total) => this.#progress(abort, done, total),
      abort.signal,
    );
    this.#underway = work;
    try {
      const opened = await work;
      performance.measure(MODEL_OPENED, { start: began });
      this.current = { ...opened, title: titleOf(source) };
      rememberKept(source);
      return this.current;
    } catch (reason) {
      if (this.#abort === abort) Object.assign(this, previous);
      if (!isAbort(reason)) this.error = fromFailure(reason);
      throw reason;
    } finally {
      if (this.#abort === abort) this.#settle();
    }
  }

  cancel(): void {
    this.#abort?.abort();
    this.#settle();
  }

  /** The engine worker ended: its models are gone and will be opened again when needed. */
  forget(): void {
    this.current = undefined;
  }

  dismissError(): void {
    this.error = undefined;
  }

  #settle(): void {
    this.#abort = undefined;
    this.#underway = undefined;
    this.opening = undefined;
  }

  #progress(abort: AbortController, done: number, total: number): void {
    if (this.#abort === abort && this.opening) this.opening = { ...this.opening, done, total };
  }

  async #probe(): Promise<GpuReport> {
    try {
      return await this.#engine.probe();
    } catch (reason) {
      const message = fromFailure(reason).message;
      const unknown = {
        name: "",
        vendor: "",
        architecture: "",
        f16: false,
        subgroups: false,
        maxBufferSize: 0,
        maxBindingSize: 0,
      };
      return { ...unknown, verdict: "error", message };
    }
  }
}

async function loadBuiltins(): Promise<BuiltinModel[]> {
  const response = await fetch(`${builtinFolder}index.json`).catch(() => undefined);
  if (!response?.ok) return [];
  return parseBuiltins(await response.json().catch(() => [])) ?? [];
}

export function builtinSource(model: BuiltinModel): ModelSource {
  const url = new URL(`${builtinFolder}${model.file}`, document.baseURI).href;
  return { kind: "builtin", id: model.id, url, title: model.title };
}

export function titleOf(source: ModelSource): string {
  return source.kind === "file" ? source.file.name : source.title;
}

const lastKey = "weft-last-model";
const keptSchema = v.object({
  kind: v.literal("kept"),
  name: v.string(),
  title: v.string(),
  vae: v.exactOptional(v.string()),
});

/** The kept model that was open when the page was last closed. */
function lastKept(): ModelSource | undefined {
  try {
    const parsed = v.safeParse(keptSchema, JSON.parse(localStorage.getItem(lastKey) ?? "null"));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function rememberKept(source: ModelSource): void {
  if (source.kind === "kept") localStorage.setItem(lastKey, JSON.stringify(source));
  else localStorage.removeItem(lastKey);
}
