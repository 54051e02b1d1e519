/** Captioning: what is chosen, what is under way, what the last trial gave. */
import { SvelteMap } from "svelte/reactivity";
import { WeftError } from "../base/errors";
import type { ListId } from "../captioning/interrogator/lists";
import { captionerMeta, type CaptionerId } from "../captioning/menu";
import { mostListBytes, parsePhraseList } from "../captioning/phraseList";
import { combineCaption } from "../captioning/presets";
import type { SettingValue } from "../captioning/settings";
import type { Preparing } from "../captioning/types";
import { lastingMerge } from "../dataset/history";
import type { CaptionedPicture, CaptionJob, KeptModel, ModelSource } from "../workers/caption/api";
import type { CaptionClient } from "../workers/caption/client";
import { isAbort } from "../workers/failure";
import {
  choiceOf,
  ownName,
  parsePreferences,
  preferencesOf,
  type CaptionerPreferences,
  type CaptionPreferences,
} from "./captionPreferences";
import { CaptionStore } from "./captionStore";
import type { Dataset } from "./dataset.svelte";
import { plural } from "./format";
import type { NamedFile } from "./intake";
import { showError, showSuccess, showWarning } from "./notices";
import type { ImageEdit, ImageRecord } from "./records";

/** What is going on. `total` 0: not known. */
export interface Captioning {
  what: "preparing" | "captioning" | "trying";
  label: string;
  done: number;
  total: number;
  /** Undefined until it can be told. */
  secondsLeft: number | undefined;
  /** Bytes, for downloads. */
  bytes: boolean;
}

export interface Trial extends CaptionedPicture {
  /** Of which picture. */
  id: string;
  /** What would be put into the dataset. */
  combined: string;
}

/** Captions reach the dataset in batches this far apart, in milliseconds: each makes the page draw. */
const applyEvery = 250;
/** Progress is shown at most this often, in milliseconds. */
const tellEvery = 100;
/** A captioner on the GPU is let go after this long without work, in milliseconds: training wants the memory. */
const idleTime = 60_000;
const stages: Record<Preparing["stage"], string> = {
  downloading: "Downloading",
  loading: "Loading",
  phrases: "Reading phrases",
};

export class Captioners {
  preferences = $state.raw<CaptionPreferences>(parsePreferences(undefined));
  working = $state.raw<Captioning>();
  trial = $state.raw<Trial>();
  kept = $state.raw<KeptModel[]>([]);
  /** The phrase lists that the person changed, by id. */
  lists = new SvelteMap<ListId, readonly string[]>();

  #client: CaptionClient;
  #dataset: Dataset;
  #store = new CaptionStore();
  #abort: AbortController | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** When progress was shown last, in milliseconds. */
  #told = 0;

  constructor(client: CaptionClient, dataset: Dataset) {
    this.#client = client;
    this.#dataset = dataset;
  }

  /** Another dataset is about to be opened: what is done stays with this one. */
  leave(): void {
    this.cancel();
    this.trial = undefined;
  }

  /** Takes up what was chosen for a dataset. */
  async open(dataset: string): Promise<void> {
    const { preferences, lists } = await this.#store.read(dataset);
    this.preferences = preferences;
    this.lists.clear();
    for (const [id, list] of lists) this.lists.set(id, list);
  }

  copy(from: string, to: string): Promise<void> {
    return this.#store.copy(from, to);
  }

  remove(dataset: string): Promise<void> {
    return this.#store.remove(dataset);
  }

  choose(change: Partial<CaptionPreferences>): void {
    this.preferences = { ...this.preferences, ...change };
    this.trial = undefined;
    this.#store.keepPreferences(this.#dataset.id, this.preferences).catch(showError);
  }

  /** Changes what is kept for one captioner. */
  chooseFor(id: CaptionerId, change: Partial<CaptionerPreferences>): void {
    const each = { ...this.preferences.each, [id]: { ...preferencesOf(this.preferences, id), ...change } };
    this.choose({ each });
  }

  setSetting(id: CaptionerId, key: string, value: SettingValue): void {
    const { settings } = preferencesOf(this.preferences, id);
    this.chooseFor(id, { settings: { ...settings, [key]: value } });
  }

  /** Looks which models are in the browser's storage. */
  async lookForKept(): Promise<void> {
    this.kept = await this.#client.kept().catch(() => []);
  }

  async forget(name: string): Promise<void> {
    await this.#client.forget(name).catch(showError);
    await this.lookForKept();
  }

  /** The phrases of a list as text, one a line: the person's, else ours. */
  async listText(id: ListId): Promise<string> {
    const list = this.lists.get(id);
    if (list) return list.join("\n");
    const response = await fetch(`phrases/${id}.txt`);
    return response.ok ? (await response.text()).trimEnd() : "";
  }

  /** @throws WeftError `phrase-list-too-long` */
  async setList(id: ListId, text: string): Promise<void> {
    const phrases = parsePhraseList(text);
    this.lists.set(id, phrases);
    this.trial = undefined;
    await this.#store.keepList(this.#dataset.id, id, phrases);
  }

  async resetList(id: ListId): Promise<void> {
    this.lists.delete(id);
    this.trial = undefined;
    await this.#store.keepList(this.#dataset.id, id, undefined);
  }

  /** Takes a text file as a list. @returns how many phrases it holds */
  async importList(id: ListId, file: Blob): Promise<number> {
    if (file.size > mostListBytes)
      throw new WeftError(
        "phrase-list-too-long",
        "The file is too large for a list.",
        "Choose a text file with one phrase a line.",
      );
    await this.setList(id, await file.text());
    return this.lists.get(id)?.length ?? 0;
  }

  /** Which of `images` a run would caption, by what the person wants with existing captions. */
  targets(images: readonly ImageRecord[]): ImageRecord[] {
    return images.filter((image) => this.preferences.existing !== "skip" || image.caption.trim() === "");
  }

  /** Captions `images` as one step that Undo takes back. What is done when cancelled stays. */
  async captionAll(images: readonly ImageRecord[]): Promise<void> {
    const targets = this.targets(images);
    if (targets.length === 0) return;
    await this.#work("captioning", (signal) => this.#captionEach(targets, signal));
  }

  /** Captions one picture to look at; nothing is changed. */
  async tryOn(image: ImageRecord): Promise<void> {
    await this.#work("trying", async (signal) => {
      await this.#prepare(signal);
      this.working = {
        what: "trying",
        label: "Looking at the picture",
        done: 0,
        total: 0,
        secondsLeft: undefined,
        bytes: false,
      };
      const result = await this.#client.caption(
        await this.#dataset.original(image),
        image.name,
        image.caption,
        signal,
      );
      this.trial = {
        ...result,
        id: image.id,
        combined: this.#combine(image.caption, result.caption, "replace"),
      };
    });
  }

  /** Puts the trial's caption into the dataset. */
  takeTrial(): void {
    if (!this.trial) return;
    const { id, combined } = this.trial;
    this.#dataset.change("Caption 1 picture", [edit(id, combined)]);
  }

  /** Loads the files a person chose for a captioner, and keeps them. */
  async useOwnFiles(id: CaptionerId, files: readonly NamedFile[]): Promise<void> {
    if (files.length === 0) return;
    const name = ownName(id);
    this.choose({ captioner: id });
    const source: ModelSource = {
      kind: "files",
      name,
      files: files.map(({ path, file }) => ({ path, file })),
    };
    let works = false;
    await this.#work("preparing", async (signal) => {
      await this.#client.forget(name);
      await this.#prepare(signal, source);
      works = true;
      this.chooseFor(id, { place: { kind: "kept", name } });
      showSuccess(
        `${captionerMeta(id).label} is ready`,
        "Its model is kept in this browser until you remove it.",
      );
    });
    // Files that make no model would only be in the way of others.
    if (!works) await this.#client.forget(name).catch(() => undefined);
    await this.lookForKept();
  }

  cancel(): void {
    this.#abort?.abort();
  }

  /** Ends the worker, so that the GPU's memory is free. */
  close(): void {
    clearTimeout(this.#idle);
    this.cancel();
    this.#client.close();
  }

  async #work(what: Captioning["what"], work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.cancel();
    clearTimeout(this.#idle);
    const abort = new AbortController();
    this.#abort = abort;
    this.working = {
      what: "preparing",
      label: "Starting the captioner",
      done: 0,
      total: 0,
      secondsLeft: undefined,
      bytes: false,
    };
    try {
      await work(abort.signal);
    } catch (reason) {
      if (!isAbort(reason)) showError(reason);
    } finally {
      if (this.#abort === abort) {
        this.#abort = undefined;
        this.working = undefined;
        this.#idle = setTimeout(() => this.#client.close(), idleTime);
      }
    }
    if (what === "captioning") await this.#dataset.saved();
  }

  async #prepare(signal: AbortSignal, source?: ModelSource): Promise<void> {
    await this.#client.prepare(this.#job(source), (step) => this.#onPreparing(step, signal), signal);
  }

  #job(source: ModelSource | undefined): CaptionJob {
    const { preferences } = this;
    const { captioner, describer, learned } = preferences;
    const choice = choiceOf(preferences, captioner);
    return {
      ...choice,
      ...(source ? { source, files: {} } : {}),
      leaveOut: learned,
      describer:
        captioner === "interrogator" && describer !== "none" ? choiceOf(preferences, describer) : undefined,
      lists: Object.fromEntries(this.lists),
      base: document.baseURI,
    };
  }

  #onPreparing({ stage, label, done, total }: Preparing, signal: AbortSignal): void {
    if (signal.aborted || this.#abort?.signal !== signal) return;
    this.working = {
      what: "preparing",
      label: `${stages[stage]} ${label}`,
      done,
      total,
      secondsLeft: undefined,
      bytes: stage === "downloading",
    };
  }

  async #captionEach(targets: readonly ImageRecord[], signal: AbortSignal): Promise<void> {
    await this.#prepare(signal);
    const run = new Run(
      targets.length,
      (edits, label, merge) => void this.#dataset.change(label, edits, merge),
    );
    const failed: string[] = [];
    let next = this.#read(targets[0]);
    try {
      for (const [index, image] of targets.entries()) {
        this.#onCaptioning(image.name, index, targets.length, run);
        const file = next;
        next = this.#read(targets[index + 1]);
        try {
          const result = await this.#client.caption(await file, image.name, image.caption, signal);
          // It may have been edited meanwhile.
          const now = this.#dataset.image(image.id)?.caption ?? image.caption;
          const combined = combineCaption(now, result.caption, this.preferences.existing, this.#trigger());
          run.done(combined === undefined ? undefined : edit(image.id, combined));
        } catch (reason) {
          if (isAbort(reason) || signal.aborted || !isOfPicture(reason)) throw reason;
          failed.push(image.name);
        }
      }
    } finally {
      run.flush();
    }
    if (failed.length > 0)
      showWarning(`${plural(failed.length, "picture")} could not be read`, failed.slice(0, 5).join(", "));
  }

  /** A picture's file, read while the one before it is captioned. */
  #read(image: ImageRecord | undefined): Promise<Blob> {
    const file = image ? this.#dataset.original(image) : Promise.resolve(new Blob());
    // Whoever awaits it hears of it; nobody does when the run ends before.
    file.catch(() => undefined);
    return file;
  }

  /** At most ten times a second: fast captioners would keep the page busy with drawing. */
  #onCaptioning(label: string, done: number, total: number, run: Run): void {
    const now = performance.now();
    if (this.working?.what === "captioning" && now - this.#told < tellEvery) return;
    this.#told = now;
    const secondsLeft = run.secondsLeft(done);
    this.working = { what: "captioning", label, done, total, secondsLeft, bytes: false };
  }

  #trigger(): string {
    return this.preferences.triggerFirst ? this.#dataset.trigger : "";
  }

  #combine(existing: string, caption: string, rule: "replace"): string {
    return combineCaption(existing, caption, rule, this.#trigger()) ?? caption;
  }
}

function edit(id: string, caption: string): ImageEdit {
  return { id, caption, captionSource: "captioner", autoCaption: caption };
}

/** Faults of one picture that need not stop the others. */
function isOfPicture(reason: unknown): boolean {
  return reason instanceof WeftError && (reason.code === "undecodable" || reason.code === "missing-picture");
}

/** The pictures of one captioning: gathered, handed over in batches, timed. */
class Run {
  #label: string;
  #merge = `${lastingMerge}${crypto.randomUUID()}`;
  #apply: (edits: readonly ImageEdit[], label: string, merge: string) => void;
  #pending: ImageEdit[] = [];
  #started = performance.now();
  #applied = performance.now();
  #total: number;

  constructor(total: number, apply: (edits: readonly ImageEdit[], label: string, merge: string) => void) {
    this.#total = total;
    this.#label = `Caption ${plural(total, "picture")}`;
    this.#apply = apply;
  }

  /** One more picture is done; `change` goes to the dataset with the next batch. */
  done(change: ImageEdit | undefined): void {
    if (change) this.#pending.push(change);
    if (performance.now() - this.#applied > applyEvery) this.flush();
  }

  flush(): void {
    if (this.#pending.length > 0) this.#apply(this.#pending, this.#label, this.#merge);
    this.#pending = [];
    this.#applied = performance.now();
  }

  secondsLeft(done: number): number | undefined {
    if (done === 0) return undefined;
    const perPicture = (performance.now() - this.#started) / 1000 / done;
    return perPicture * (this.#total - done);
  }
}
