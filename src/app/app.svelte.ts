/** The app's state in one place. Built by `main.ts`, reached by components through the context. */
import { createContext } from "svelte";
import { CaptionClient } from "../workers/caption/client";
import { DatasetClient } from "../workers/dataset/client";
import { EngineClient } from "../workers/engine/client";
import { LibraryClient } from "../workers/library/client";
import { Captioners } from "./captioner.svelte";
import { Dataset } from "./dataset.svelte";
import { DatasetExport } from "./datasetExport.svelte";
import { Datasets } from "./datasets.svelte";
import { Doctor } from "./doctor.svelte";
import { Editor } from "./editor.svelte";
import { GpuMemory } from "./gpuMemory.svelte";
import { KeptModels } from "./keptModels.svelte";
import { Loras } from "./loras.svelte";
import { MemoryTable } from "./memoryTable.svelte";
import { Models } from "./models.svelte";
import { Playground } from "./playground.svelte";
import { Router, type Room } from "./router.svelte";
import { Runs } from "./runs.svelte";
import { Theme } from "./theme.svelte";
import { TrainForm } from "./trainForm.svelte";
import { showError } from "./notices";

/** Shown on the rail beside a room: not begun, ready, working, or waiting for the person. */
export type RoomState = "empty" | "ready" | "working" | "attention";

export class App {
  readonly router = new Router();
  readonly theme = new Theme();
  readonly engine = new EngineClient();
  readonly pictures = new DatasetClient();
  readonly library = new LibraryClient();
  readonly models = new Models(this.engine);
  readonly kept = new KeptModels(this);
  readonly dataset = new Dataset(this.pictures);
  readonly captioners = new Captioners(new CaptionClient(), this.dataset);
  readonly datasets = new Datasets(this.dataset, this.captioners);
  readonly editor = new Editor(this.dataset);
  readonly loras = new Loras();
  readonly runs = new Runs(this);
  readonly gpuMemory = new GpuMemory(this);
  readonly form = new TrainForm(this);
  readonly doctor = new Doctor(this);
  readonly datasetExport = new DatasetExport(this);
  readonly memory = new MemoryTable(this);
  readonly playground = new Playground(this);

  /** Reads what is stored and looks at the GPU. Each part fails on its own. */
  start(): void {
    this.theme.start();
    this.router.start();
    this.#begin([
      this.models,
      this.kept,
      this.dataset,
      this.datasets,
      this.loras,
      this.runs,
      this.playground,
    ]);
    document.addEventListener("visibilitychange", () => this.#catchUp());
  }

  #begin(parts: { start(): Promise<void> }[]): void {
    for (const part of parts) part.start().catch((reason: unknown) => showError(reason));
  }

  /** Another tab may have trained meanwhile, or changed the datasets. */
  #catchUp(): void {
    if (document.visibilityState !== "visible") return;
    this.datasets.refresh().catch(showError);
    if (!this.runs.live) this.#begin([this.loras, this.runs]);
  }

  stateOf(room: Room): RoomState {
    switch (room) {
      case "model":
        return this.#modelState();
      case "dataset":
        if (this.dataset.importing || this.captioners.working) return "working";
        if (this.dataset.refused.length > 0) return "attention";
        return this.dataset.images.length > 0 ? "ready" : "empty";
      case "train":
        return this.#trainState();
      case "try":
        if (this.playground.busy) return "working";
        return this.playground.gallery.length > 0 ? "ready" : "empty";
      case "share":
        return this.loras.list.length > 0 ? "ready" : "empty";
    }
  }

  #modelState(): RoomState {
    const { models, kept } = this;
    if (models.opening || kept.busy) return "working";
    if ((models.report && !models.usable) || models.error || kept.error) return "attention";
    return models.current ? "ready" : "empty";
  }

  #trainState(): RoomState {
    const { live, list } = this.runs;
    if (live) return live.unsaved ? "attention" : "working";
    if (list.some((run) => run.status === "interrupted")) return "attention";
    return list.some((run) => run.status === "finished") ? "ready" : "empty";
  }
}

export const [getApp, setApp] = createContext<App>();
