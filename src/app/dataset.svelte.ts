/** The pictures to learn from, with their captions: imported, edited, kept across reloads. */
import { get, set } from "idb-keyval";
import { SvelteMap } from "svelte/reactivity";
import { WeftError } from "../base/errors";
import { Files, Records } from "../storage/records";
import { strictStore } from "../storage/strict";
import type { ImportedImage, ImportEvent, NamedFile, RefusedFile } from "../workers/dataset/api";
import type { DatasetClient } from "../workers/dataset/client";
import { isAbort } from "../workers/failure";
import { showError } from "./notices";
import { parseImage, parseSamples, type ImageRecord, type SampleDataset } from "./records";

const sampleFolder = "samples/";
const triggerKey = "trigger";

export class Dataset {
  images = $state<ImageRecord[]>([]);
  refused = $state.raw<RefusedFile[]>([]);
  trigger = $state("");
  samples = $state.raw<SampleDataset[]>([]);
  importing = $state.raw<{ done: number; total: number }>();
  loaded = $state(false);
  /** Whether the browser promised not to clear this site's storage by itself; undefined until it was asked. */
  persistent = $state<boolean>();
  captioned = $derived(this.images.filter((image) => image.caption.trim()).length);
  /** Pictures in one epoch, repeats counted. */
  perEpoch = $derived(this.images.reduce((sum, image) => sum + image.repeats, 0));
  /** Object URLs of the thumbnails, made when first asked for. */
  #thumbnailUrls = new SvelteMap<string, string>();

  #worker: DatasetClient;
  #records = new Records("weft-images", parseImage);
  #originals = new Files<Blob>("weft-originals");
  #thumbnails = new Files<Blob>("weft-thumbnails");
  #about = strictStore("weft-dataset");
  #abort: AbortController | undefined;
  #writes: Promise<void> = Promise.resolve();

  constructor(worker: DatasetClient) {
    this.#worker = worker;
  }

  async start(): Promise<void> {
    const [images, trigger, samples] = await Promise.all([
      this.#records.all(),
      get<unknown>(triggerKey, this.#about),
      loadSamples(),
    ]);
    this.images = images.sort((a, b) => a.order - b.order);
    this.trigger = typeof trigger === "string" ? trigger : "";
    this.samples = samples;
    this.loaded = true;
    if (images.length > 0) this.persistent = await navigator.storage.persisted();
  }

  /** Imports files; bad ones are listed in `refused` and never stop the rest. */
  async importFiles(files: NamedFile[]): Promise<void> {
    if (files.length === 0) return;
    this.cancelImport();
    const abort = new AbortController();
    this.#abort = abort;
    this.refused = [];
    this.importing = { done: 0, total: files.length };
    try {
      await this.#worker.importFiles(files, (event) => this.#onImport(event, abort), abort.signal);
      await this.#writes;
      if (this.images.length > 0) this.persistent = await navigator.storage.persist();
    } catch (reason) {
      if (!isAbort(reason)) showError(reason);
    } finally {
      if (this.#abort === abort) this.#endImport();
    }
  }

  cancelImport(): void {
    this.#abort?.abort();
    this.#endImport();
  }

  /** Fetches a dataset that ships with the site and imports it like any other files. */
  async importSample(sample: SampleDataset): Promise<void> {
    try {
      const pictures = await Promise.all(sample.images.map(({ file }) => fetchFile(file)));
      const captions = sample.images.map(({ file, caption }) => captionFile(file, caption));
      if (sample.trigger) this.setTrigger(sample.trigger);
      await this.importFiles([...pictures, ...captions]);
    } catch (reason) {
      showError(reason, { label: "Try again", onClick: () => void this.importSample(sample) });
    }
  }

  /** Changes a picture's caption or repeats; saved at once. */
  edit(id: string, change: Partial<Pick<ImageRecord, "caption" | "repeats">>): void {
    const image = this.images.find((candidate) => candidate.id === id);
    if (!image) return;
    Object.assign(image, change, "caption" in change ? { captionSource: "person" } : {});
    this.#write(() => this.#records.put($state.snapshot(image)));
  }

  setTrigger(trigger: string): void {
    this.trigger = trigger;
    this.#write(() => set(triggerKey, trigger, this.#about));
  }

  remove(ids: string[]): void {
    const gone = new Set(ids);
    this.images = this.images.filter((image) => !gone.has(image.id));
    this.#write(async () => {
      for (const id of ids) {
        await this.#records.remove(id);
        await Promise.all([this.#originals.remove(id), this.#thumbnails.remove(id)]);
        this.#forgetThumbnail(id);
      }
    });
  }

  clear(): void {
    this.refused = [];
    this.setTrigger("");
    this.remove(this.images.map((image) => image.id));
  }

  dismissRefused(): void {
    this.refused = [];
  }

  /** The untouched file of a picture. @throws `missing-picture` when the browser lost it. */
  async original(image: ImageRecord): Promise<Blob> {
    const blob = await this.#originals.get(image.id);
    if (blob) return blob;
    throw new WeftError(
      "missing-picture",
      `The file of "${image.name}" is no longer in the browser's storage.`,
      "Add it again.",
    );
  }

  /** Object URL of a thumbnail, once it is read; empty until then. */
  thumbnailUrl(id: string): string {
    return this.#thumbnailUrls.get(id) ?? "";
  }

  async loadThumbnail(id: string): Promise<void> {
    if (this.#thumbnailUrls.has(id)) return;
    const blob = await this.#thumbnails.get(id);
    if (blob && !this.#thumbnailUrls.has(id)) this.#thumbnailUrls.set(id, URL.createObjectURL(blob));
  }

  /** Resolves when every change so far is on disk. */
  saved(): Promise<void> {
    return this.#writes;
  }

  #onImport(event: ImportEvent, abort: AbortController): void {
    if (this.#abort !== abort) return;
    if (event.kind === "progress") this.importing = { done: event.done, total: event.total };
    if (event.kind === "refused") this.refused = [...this.refused, event.file];
    if (event.kind !== "image") return;
    const { name, bytes } = event.image;
    const isHere = this.images.some((image) => image.name === name && image.bytes === bytes);
    if (isHere)
      this.refused = [...this.refused, { name, code: "duplicate", reason: "is in the dataset already." }];
    else this.#add(event.image, abort);
  }

  /** Blobs first, then the record that lists them: a kill in between leaves nothing half-listed. */
  #add(image: ImportedImage, abort: AbortController): void {
    const { original, thumbnail, ...facts } = image;
    const order = Date.now() + this.images.length / 1e6;
    this.#writes = this.#writes.then(async () => {
      if (abort.signal.aborted) return;
      try {
        const record = parseImage({ ...facts, order });
        if (!record) return;
        await Promise.all([
          this.#originals.put(image.id, original),
          this.#thumbnails.put(image.id, thumbnail),
        ]);
        await this.#records.put(record);
        this.images.push(record);
      } catch (reason) {
        abort.abort(reason);
        showError(reason);
      }
    });
  }

  #write(work: () => Promise<void>): void {
    this.#writes = this.#writes.then(work).catch((reason: unknown) => showError(reason));
  }

  #forgetThumbnail(id: string): void {
    const url = this.#thumbnailUrls.get(id);
    if (url) URL.revokeObjectURL(url);
    this.#thumbnailUrls.delete(id);
  }

  #endImport(): void {
    this.#abort = undefined;
    this.importing = undefined;
  }
}

async function loadSamples(): Promise<SampleDataset[]> {
  const response = await fetch(`${sampleFolder}index.json`).catch(() => undefined);
  if (!response?.ok) return [];
  return parseSamples(await response.json().catch(() => [])) ?? [];
}

async function fetchFile(file: string): Promise<NamedFile> {
  const response = await fetch(`${sampleFolder}${file}`);
  if (!response.ok)
    throw new WeftError(
      "sample-missing",
      `The sample picture "${file}" could not be loaded.`,
      "Reload the page and try again.",
    );
  return { path: file, file: await response.blob() };
}

function captionFile(file: string, caption: string): NamedFile {
  return { path: file.replace(/\.[^.]+$/, ".txt"), file: new Blob([caption], { type: "text/plain" }) };
}
