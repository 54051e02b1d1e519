/** The dataset that is open: its pictures and captions, imported, edited, taken back, kept across reloads. */
import { WeftError } from "../base/errors";
import {
  canRedo,
  canUndo,
  emptyHistory,
  record,
  stepBack,
  stepForward,
  withoutPictures,
  type AboutChange,
  type History,
  type ImageChange,
} from "../dataset/history";
import { difference, parseImage, withValues } from "../dataset/record";
import type { DatasetStore } from "../dataset/store";
import { Files } from "../storage/records";
import type { ImportedImage, ImportEvent, NamedFile, RefusedFile } from "../workers/dataset/api";
import type { DatasetClient } from "../workers/dataset/client";
import { isAbort } from "../workers/failure";
import { DatasetSaver } from "./datasetSaver";
import { plural } from "./format";
import { showError } from "./notices";
import type { DatasetRecord, ImageEdit, ImageRecord, ImageValues, SampleDataset } from "./records";
import { fetchSample, listSamples } from "./samples";
import { thumbnailFiles } from "./thumbnails";

/** Pictures whose files are written in one go while importing. */
const arrivalsAtOnce = 64;

export const originalFiles = new Files<Blob>("weft-originals");

interface Arrival {
  image: ImportedImage;
  abort: AbortController;
}

/** Two files of one name and size are taken for the same. */
function fingerprint({ name, bytes }: { name: string; bytes: number }): string {
  return `${bytes} ${name}`;
}

export class Dataset {
  about = $state.raw<DatasetRecord>({
    id: "",
    name: "",
    createdAt: 0,
    trigger: "",
    alpha: "white",
    removedAt: undefined,
  });
  /** In order, without what is in the trash. Records are never changed in place. */
  images = $state.raw<ImageRecord[]>([]);
  refused = $state.raw<RefusedFile[]>([]);
  /** What an import found out about a whole drop. */
  importNotes = $state.raw<string[]>([]);
  importing = $state.raw<{ done: number; total: number; secondsLeft?: number | undefined }>();
  samples = $state.raw<SampleDataset[]>([]);
  loaded = $state(false);
  /** Whether the browser promised not to clear this site's storage by itself; undefined until it was asked. */
  persistent = $state<boolean>();
  captioned = $derived(this.images.filter((image) => image.caption.trim()).length);
  /** Transparent parts are left out of the loss, where a picture has any. */
  isMasked = $derived(this.about.alpha === "mask" && this.images.some(({ alpha }) => alpha));
  /** Pictures in one epoch, repeats counted. */
  perEpoch = $derived(this.images.reduce((sum, image) => sum + image.repeats, 0));
  /** Another tab has this dataset open, and is the one that may change it. */
  elsewhere = $state(false);
  currentHistory = $state.raw<History>(emptyHistory);
  /** What Undo and Redo would take back and do again. */
  undoable = $derived(canUndo(this.currentHistory)?.label);
  redoable = $derived(canRedo(this.currentHistory)?.label);

  #worker: DatasetClient;
  #saver = new DatasetSaver(this);
  /** Every picture, those in the trash too, in order. */
  #all = new Map<string, ImageRecord>();
  #abort: AbortController | undefined;
  /** Imported, not yet on disk. */
  #arrivals: Arrival[] = [];

  constructor(worker: DatasetClient) {
    this.#worker = worker;
  }

  get id(): string {
    return this.about.id;
  }

  get trigger(): string {
    return this.about.trigger;
  }

  async start(): Promise<void> {
    addEventListener("pagehide", () => this.#saver.hurry());
    this.samples = await listSamples();
  }

  /** Ends the import and brings every change to disk. @throws `unsaved-dataset` */
  async settle(): Promise<void> {
    this.cancelImport();
    await this.saved();
    this.#saver.requireSaved();
  }

  /**
   * Shows another dataset; what was changed in the present one is on disk before. @throws `unsaved-dataset`
   * @param elsewhere another tab has it: it is shown, and not changed
   */
  async open(about: DatasetRecord, store: DatasetStore, elsewhere: boolean): Promise<void> {
    await this.settle();
    this.elsewhere = elsewhere;
    const { images, history } = await store.load();
    this.#saver.use(store, history);
    this.about = about;
    this.refused = [];
    this.#all = new Map(images.map((image) => [image.id, image]));
    this.currentHistory = history;
    this.#show();
    this.loaded = true;
    if (images.length > 0) this.persistent = await navigator.storage.persisted();
  }

  /**
   * Does `edits` as one step that Undo takes back. Edits that change nothing, or of pictures that are gone, are left out.
   * @param label what a person would call it, for the Undo button: `Replace "cat"`
   * @param merge changes of the same non-empty key shortly after one another become one step
   * @returns how many pictures changed
   */
  change(label: string, edits: readonly ImageEdit[], merge = ""): number {
    if (!this.#mayChange()) return 0;
    const changes: ImageChange[] = [];
    for (const edit of edits) {
      const image = this.#all.get(edit.id);
      const changed = image && difference(image, edit);
      if (changed) changes.push({ id: edit.id, ...changed });
    }
    if (changes.length > 0) this.#do({ label, merge, changes });
    return changes.length;
  }

  /** Takes the last step back. @returns its label, undefined when there is none. */
  undo(): string | undefined {
    const entry = canUndo(this.currentHistory);
    if (!entry || !this.#mayChange()) return undefined;
    this.currentHistory = stepBack(this.currentHistory);
    this.#apply(entry.changes.map(({ id, before }) => ({ id, values: before })));
    if (entry.about) this.#setAbout(entry.about.before);
    this.#saver.save();
    return entry.label;
  }

  /** Does the step that was last taken back again. @returns its label, undefined when there is none. */
  redo(): string | undefined {
    const entry = canRedo(this.currentHistory);
    if (!entry || !this.#mayChange()) return undefined;
    this.currentHistory = stepForward(this.currentHistory);
    this.#apply(entry.changes.map(({ id, after }) => ({ id, values: after })));
    if (entry.about) this.#setAbout(entry.about.after);
    this.#saver.save();
    return entry.label;
  }

  /** A picture's record, also of one in the trash. */
  image(id: string): ImageRecord | undefined {
    return this.#all.get(id);
  }

  /** Changes a picture as a person types: steps within seconds of one another are taken back together. */
  edit(id: string, values: Pick<ImageValues, "caption" | "repeats" | "crop">): void {
    const source = "caption" in values ? { captionSource: "person" as const } : {};
    const label = "caption" in values ? "Edit a caption" : "Edit a picture";
    this.change(label, [{ id, ...values, ...source }], `${id} ${Object.keys(values).join()}`);
  }

  setTrigger(trigger: string): void {
    if (trigger === this.trigger || !this.#mayChange()) return;
    const about = { before: { trigger: this.trigger }, after: { trigger } };
    this.#do({ label: "Change the trigger", merge: "trigger", changes: [], about });
  }

  /** What becomes of transparent parts from now on. */
  setAlpha(alpha: DatasetRecord["alpha"]): void {
    if (!this.#mayChange()) return;
    this.#setAbout({ alpha });
    this.#saver.save();
  }

  rename(name: string): void {
    if (!this.#mayChange()) return;
    this.#setAbout({ name });
    this.#saver.save();
  }

  /** Puts pictures into the trash, from where Undo brings them back. */
  remove(ids: readonly string[]): void {
    const removedAt = Date.now();
    const edits = ids.map((id) => ({ id, removedAt }));
    this.change(`Remove ${plural(ids.length, "picture")}`, edits);
  }

  clear(): void {
    this.refused = [];
    this.remove(this.images.map((image) => image.id));
  }

  /** Imports files; bad ones are listed in `refused` and never stop the rest. */
  async importFiles(files: NamedFile[]): Promise<void> {
    if (files.length === 0 || !this.#mayChange()) return;
    this.cancelImport();
    const abort = new AbortController();
    this.#abort = abort;
    this.refused = [];
    this.importNotes = [];
    this.importing = { done: 0, total: files.length };
    const before = new Set(this.#all.keys());
    try {
      await this.#worker.importFiles(files, (event) => this.#onImport(event, abort), abort.signal);
      await this.saved();
      if (this.images.length > 0) this.persistent = await navigator.storage.persist();
    } catch (reason) {
      if (!isAbort(reason)) showError(reason);
    } finally {
      this.#noteImport(before);
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
      const files = await fetchSample(sample);
      if (sample.trigger) this.setTrigger(sample.trigger);
      await this.importFiles(files);
    } catch (reason) {
      showError(reason, { label: "Try again", onClick: () => void this.importSample(sample) });
    }
  }

  dismissRefused(): void {
    this.refused = [];
    this.importNotes = [];
  }

  /** The untouched file of a picture. @throws `missing-picture` when the browser lost it. */
  async original(image: ImageRecord): Promise<Blob> {
    const blob = await originalFiles.get(image.id);
    if (blob) return blob;
    throw new WeftError(
      "missing-picture",
      `The file of "${image.name}" is no longer in the browser's storage.`,
      "Add it again.",
    );
  }

  /** @throws `open-elsewhere` when another tab is the one to change it */
  requireTurn(): void {
    if (!this.elsewhere) return;
    throw new WeftError(
      "open-elsewhere",
      `"${this.about.name}" is open in another tab and is changed there.`,
      'Press "Edit it here" in the room Dataset to go on in this one.',
    );
  }

  #mayChange(): boolean {
    try {
      this.requireTurn();
      return true;
    } catch (reason) {
      showError(reason);
      return false;
    }
  }

  /** Resolves when every change so far is on disk, or could not be written and was told. */
  saved(): Promise<void> {
    return this.#saver.saved();
  }

  /** Takes what was removed before `time` out of the trash, for good. @returns the ids; their files are still there. */
  async purgeTrash(time: number): Promise<string[]> {
    const gone = [...this.#all.values()].filter(
      ({ removedAt = Number.POSITIVE_INFINITY }) => removedAt < time,
    );
    if (gone.length === 0 || this.elsewhere) return [];
    const ids = gone.map(({ id }) => id);
    for (const id of ids) {
      this.#all.delete(id);
      this.#saver.purge(id);
    }
    this.currentHistory = withoutPictures(this.currentHistory, new Set(ids));
    this.#saver.save();
    await this.saved();
    return ids;
  }

  /** Files first, then the records that list them: a kill in between leaves nothing half-listed. */
  async beforeSave(): Promise<void> {
    while (this.#arrivals.length > 0) {
      const some = this.#arrivals.splice(0, arrivalsAtOnce);
      const fresh = this.#notHere(some.filter(({ abort }) => !abort.signal.aborted));
      try {
        await originalFiles.putMany(fresh.map(({ image }) => [image.id, image.original]));
        await thumbnailFiles.putMany(fresh.map(({ image }) => [image.id, image.thumbnail]));
      } catch (reason) {
        for (const { abort } of some) abort.abort(reason);
        this.#arrivals = [];
        throw reason;
      }
      this.#admit(fresh);
    }
  }

  #admit(arrivals: readonly Arrival[]): void {
    let order = Math.max(Date.now(), ...[...this.#all.values()].slice(-1).map((last) => last.order + 1));
    for (const { image } of arrivals) {
      const { original: _original, thumbnail: _thumbnail, ...facts } = image;
      const added = parseImage({ ...facts, order: order++ });
      if (!added) continue;
      this.#all.set(added.id, added);
      this.#saver.touch(added.id);
    }
    this.#show();
  }

  #do(step: { label: string; merge: string; changes: ImageChange[]; about?: AboutChange }): void {
    this.currentHistory = record(this.currentHistory, { at: Date.now(), ...step });
    this.#apply(step.changes.map(({ id, after }) => ({ id, values: after })));
    if (step.about) this.#setAbout(step.about.after);
    this.#saver.save();
  }

  #apply(values: { id: string; values: ImageValues }[]): void {
    for (const { id, values: some } of values) {
      const image = this.#all.get(id);
      if (!image) continue;
      this.#all.set(id, withValues(image, some));
      this.#saver.touch(id);
    }
    if (values.length > 0) this.#show();
  }

  #setAbout(change: Partial<Pick<DatasetRecord, "name" | "trigger" | "alpha">>): void {
    this.about = { ...this.about, ...change };
    this.#saver.touchAbout();
  }

  #show(): void {
    this.images = [...this.#all.values()].filter((image) => image.removedAt === undefined);
  }

  #onImport(event: ImportEvent, abort: AbortController): void {
    if (this.#abort !== abort) return;
    if (event.kind === "progress") this.importing = event;
    if (event.kind === "note") this.importNotes = [...this.importNotes, event.note];
    if (event.kind === "refused") this.refused = [...this.refused, event.file];
    if (event.kind !== "image") return;
    this.#arrivals.push({ image: event.image, abort });
    this.#saver.save();
  }

  /** Taking an import back puts its pictures into the trash. */
  #noteImport(before: ReadonlySet<string>): void {
    const at = Date.now();
    const added = this.images.filter(({ id }) => !before.has(id));
    if (added.length === 0) return;
    const label = `Add ${plural(added.length, "picture")}`;
    const changes = added.map(({ id }) => ({
      id,
      before: { removedAt: at },
      after: { removedAt: undefined },
    }));
    this.currentHistory = record(this.currentHistory, { at, label, changes, merge: "" });
    this.#saver.save();
  }

  /** Those that the dataset does not have yet; the others are listed as refused. */
  #notHere(arrivals: readonly Arrival[]): Arrival[] {
    const here = new Set(this.images.map(fingerprint));
    const doubles: RefusedFile[] = [];
    const fresh = arrivals.filter(({ image }) => {
      const isHere = here.has(fingerprint(image));
      if (isHere) doubles.push({ name: image.name, code: "duplicate", reason: "is in the dataset already." });
      return !isHere;
    });
    if (doubles.length > 0) this.refused = [...this.refused, ...doubles];
    return fresh;
  }

  #endImport(): void {
    this.#abort = undefined;
    this.importing = undefined;
  }
}
