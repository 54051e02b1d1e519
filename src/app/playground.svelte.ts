/** The Try room: a prompt, its settings, the pictures it made. */
import { samplerMeta } from "../sampling/meta";
import { sigmaScheduleMeta } from "../sampling/sigmas/meta";
import { Files, Records } from "../storage/records";
import type { GeneratedImage, GenerateEvent, GenerateRequest } from "../workers/engine/api";
import type { EngineClient } from "../workers/engine/client";
import { fromFailure, isAbort } from "../workers/failure";
import type { Loras } from "./loras.svelte";
import type { Models } from "./models.svelte";
import { showError } from "./notices";
import { addLoraTag, findLoraTags } from "./promptTags";
import { parsePicture, type PictureRecord } from "./records";
import { engineIsGone } from "./recovery";
import type { Runs } from "./runs.svelte";

/** The web UI's names, in its order. */
export const samplers = Object.values(samplerMeta).map(({ label }) => label);

const automatic = "Automatic";

/** Schedules for `sampler`: "Automatic" says which one it means; some samplers bring their own. */
export function schedulesFor(sampler: string): { value: string; label: string }[] {
  const own = Object.values(samplerMeta).find(({ label }) => label === sampler)?.schedule ?? "own";
  if (own === "own") return [{ value: automatic, label: "Its own" }];
  const named = Object.values(sigmaScheduleMeta).filter(({ hidden }) => !hidden);
  const meant = { value: automatic, label: `${automatic} (${sigmaScheduleMeta[own].label})` };
  return [meant, ...named.map(({ label }) => ({ value: label, label }))];
}

/** The strength a LoRA is added with; what most model pages recommend. */
const usualStrength = 0.8;
const galleryLimit = 200;

export interface GalleryPicture extends PictureRecord {
  url: string;
}

export interface TryParts {
  engine: EngineClient;
  models: Models;
  loras: Loras;
  runs: Runs;
}

export class Playground {
  prompt = $state("");
  negativePrompt = $state("");
  steps = $state(20);
  cfgScale = $state(7);
  width = $state(0);
  height = $state(0);
  /** −1 is a new one each time. */
  seed = $state(-1);
  sampler = $state("DPM++ 2M");
  scheduler = $state(automatic);
  clipSkip = $state(1);
  busy = $state.raw<{ words: string; done: number; total: number }>();
  gallery = $state.raw<GalleryPicture[]>([]);
  shown = $state.raw<GalleryPicture>();
  tags = $derived(findLoraTags(this.prompt));

  #parts: TryParts;
  #abort: AbortController | undefined;
  #records = new Records("weft-pictures", parsePicture);
  #files = new Files<Blob>("weft-picture-files");

  constructor(parts: TryParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const records = (await this.#records.all()).sort((a, b) => b.createdAt - a.createdAt);
    const pictures = await Promise.all(records.map((record) => this.#withUrl(record)));
    this.gallery = pictures.filter((picture) => picture !== undefined);
    this.shown = this.gallery[0];
  }

  /** Names a prompt may use: finished LoRAs and the run in progress. */
  get available(): string[] {
    const live = this.#liveName();
    const finished = this.#parts.loras.list.map((lora) => lora.name);
    return live ? [live, ...finished.filter((name) => name !== live)] : finished;
  }

  get liveName(): string {
    return this.#liveName();
  }

  addLora(name: string): void {
    this.prompt = addLoraTag(this.prompt, name, usualStrength);
  }

  /** Prepares a prompt that shows what a LoRA does. */
  tryLora(name: string, prompt: string): void {
    this.prompt = addLoraTag(prompt, name, usualStrength);
  }

  /** "Automatic" is the schedule that suits the sampler: Karras for DPM++ 2M. */
  chooseSampler(sampler: string): void {
    this.sampler = sampler;
    this.scheduler = automatic;
  }

  async generate(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.busy = { words: "Getting ready", done: 0, total: 0 };
    try {
      const request = await this.#request();
      const image = await this.#parts.engine.generate(request, (event) => this.#onEvent(event), abort.signal);
      await this.#keep(request, image);
    } catch (reason) {
      if (engineIsGone(fromFailure(reason).code)) this.#parts.models.forget();
      if (!isAbort(reason)) showError(reason);
    } finally {
      if (this.#abort === abort) this.#settle();
    }
  }

  cancel(): void {
    this.#abort?.abort();
    this.#settle();
  }

  /** Takes a picture's settings back into the form. */
  reuse(picture: PictureRecord): void {
    const { prompt, negativePrompt, steps, cfgScale, width, height, seed, sampler, scheduler, clipSkip } =
      picture;
    Object.assign(this, {
      prompt,
      negativePrompt,
      steps,
      cfgScale,
      width,
      height,
      seed,
      sampler,
      scheduler,
      clipSkip,
    });
  }

  async remove(picture: GalleryPicture): Promise<void> {
    await this.#records.remove(picture.id);
    await this.#files.remove(picture.id);
    URL.revokeObjectURL(picture.url);
    this.gallery = this.gallery.filter((other) => other.id !== picture.id);
    if (this.shown?.id === picture.id) this.shown = this.gallery[0];
  }

  async file(picture: PictureRecord): Promise<Blob | undefined> {
    return this.#files.get(picture.id);
  }

  #settle(): void {
    this.#abort = undefined;
    this.busy = undefined;
  }

  #liveName(): string {
    const { runs } = this.#parts;
    return runs.live ? (runs.find(runs.live.id)?.settings.name ?? "") : "";
  }

  async #request(): Promise<GenerateRequest> {
    const model = await this.#parts.models.ready();
    const size = model.nativeSize;
    return {
      modelId: model.id,
      prompt: this.prompt,
      negativePrompt: this.negativePrompt,
      steps: this.steps,
      cfgScale: this.cfgScale,
      width: this.width || size,
      height: this.height || size,
      seed: this.seed >= 0 ? this.seed : randomSeed(),
      sampler: this.sampler,
      scheduler: this.scheduler,
      clipSkip: this.clipSkip,
      loras: await this.#lorasInPrompt(),
    };
  }

  /** Files of the finished LoRAs that the prompt names; the live run's weights are in the engine already. */
  async #lorasInPrompt(): Promise<GenerateRequest["loras"]> {
    const { loras } = this.#parts;
    const names = new Set(this.tags.map((tag) => tag.name));
    const named = loras.list.filter((lora) => names.has(lora.name) && lora.name !== this.#liveName());
    return Promise.all(named.map(async (lora) => ({ name: lora.name, bytes: await loras.bytes(lora) })));
  }

  #onEvent(event: GenerateEvent): void {
    if (!this.busy) return;
    if (event.kind === "progress") this.busy = { words: "Drawing", done: event.step, total: event.total };
    else this.busy = { words: stageWords[event.stage], done: 0, total: 0 };
  }

  async #keep(request: GenerateRequest, image: GeneratedImage): Promise<void> {
    const { modelId: _model, loras: _loras, ...settings } = request;
    const { png: bytes, ...facts } = image;
    const record: PictureRecord = { ...settings, ...facts, id: crypto.randomUUID(), createdAt: Date.now() };
    const png = new Blob([bytes], { type: "image/png" });
    this.shown = { ...record, url: URL.createObjectURL(png) };
    this.gallery = [this.shown, ...this.gallery];
    await this.#files.put(record.id, png);
    await this.#records.put(record);
    const oldest = this.gallery[galleryLimit];
    if (oldest) await this.remove(oldest);
  }

  async #withUrl(record: PictureRecord): Promise<GalleryPicture | undefined> {
    const blob = await this.#files.get(record.id);
    return blob && { ...record, url: URL.createObjectURL(blob) };
  }
}

const stageWords: Record<Extract<GenerateEvent, { kind: "stage" }>["stage"], string> = {
  loading: "Loading",
  compiling: "Preparing the GPU",
  decoding: "Developing the picture",
};

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
