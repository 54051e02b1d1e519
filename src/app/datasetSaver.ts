/**
 * Brings a dataset to disk as it changes: one write at a time, each with everything that changed since the last. What
 * could not be written stays noted, and goes with the next attempt.
 */
import { WeftError } from "../base/errors";
import { emptyHistory, type History } from "../dataset/history";
import type { ImageRecord } from "../dataset/record";
import type { DatasetChanges, DatasetStore } from "../dataset/store";
import { Records } from "../storage/records";
import { showError } from "./notices";
import { parseDataset, type DatasetRecord } from "./records";

/** All datasets by id; their pictures are elsewhere. */
export const datasetList = new Records("weft-datasets", parseDataset);

/** The dataset as it is now; the saver reads it when it writes. */
export interface Saved {
  image(id: string): ImageRecord | undefined;
  readonly currentHistory: History;
  readonly about: DatasetRecord;
  /** Does what must be on disk before the records, like the files of new pictures. */
  beforeSave(): Promise<void>;
}

export class DatasetSaver {
  #source: Saved;
  #store: DatasetStore | undefined;
  #dirty = { images: new Set<string>(), purged: new Set<string>(), about: false };
  /** The history as it is on disk. */
  #stored: History = emptyHistory;
  #writing: Promise<void> | undefined;

  constructor(source: Saved) {
    this.#source = source;
  }

  /** From now on writes to `store`, which holds `history`. */
  use(store: DatasetStore, history: History): void {
    this.#store = store;
    this.#stored = history;
  }

  touch(id: string): void {
    this.#dirty.images.add(id);
  }

  /** The record goes for good. */
  purge(id: string): void {
    this.#dirty.images.delete(id);
    this.#dirty.purged.add(id);
  }

  touchAbout(): void {
    this.#dirty.about = true;
  }

  /** Starts writing unless that is under way: then the writer finds what is new when it looks again. */
  save(): void {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  /** Resolves when every change so far is on disk, or could not be written and was told. */
  async saved(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** @throws `unsaved-dataset` when something could not be written. */
  requireSaved(): void {
    if (!this.#store || !this.#isDirty()) return;
    throw new WeftError(
      "unsaved-dataset",
      `The last changes of "${this.#source.about.name}" could not be saved yet.`,
      "Make room on the disk and try again; they are not lost while this tab is open.",
    );
  }

  /** Hands what is not on disk yet to the browser at once, for a page that is closing. */
  hurry(): void {
    if (this.#isDirty()) void this.#flush().catch(() => undefined);
  }

  async #writeAll(): Promise<void> {
    try {
      do {
        await this.#source.beforeSave();
        await this.#flush();
      } while (this.#store && this.#isDirty());
    } catch (reason) {
      showError(reason, { label: "Try again", onClick: () => this.save() });
    }
  }

  #isDirty(): boolean {
    const { images, purged, about } = this.#dirty;
    return images.size + purged.size > 0 || about || this.#source.currentHistory !== this.#stored;
  }

  async #flush(): Promise<void> {
    const store = this.#store;
    if (!store) return;
    const dirty = this.#dirty;
    const { currentHistory: history, about } = this.#source;
    this.#dirty = { images: new Set(), purged: new Set(), about: false };
    try {
      const images = [...dirty.images].flatMap((id) => this.#source.image(id) ?? []);
      const purged = [...dirty.purged];
      await store.write({ images, purged, ...historyChanges(this.#stored, history) });
      this.#stored = history;
      if (dirty.about) await datasetList.put(about);
    } catch (reason) {
      for (const id of dirty.images) this.#dirty.images.add(id);
      for (const id of dirty.purged) this.#dirty.purged.add(id);
      this.#dirty.about ||= dirty.about;
      throw reason;
    }
  }
}

/** What brings the history on disk to where it is now. Entries are immutable: identity tells what changed. */
function historyChanges(
  stored: History,
  now: History,
): Pick<DatasetChanges, "entries" | "forgotten" | "done"> {
  const old = new Set(stored.entries);
  const kept = new Set(now.entries.map(({ seq }) => seq));
  return {
    entries: now.entries.filter((entry) => !old.has(entry)),
    forgotten: stored.entries.map(({ seq }) => seq).filter((seq) => !kept.has(seq)),
    done: now.entries[now.done - 1]?.seq ?? 0,
  };
}
