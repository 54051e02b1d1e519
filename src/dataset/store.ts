/**
 * One dataset on disk: its pictures' records and its history in one database, so that a change and the entry that takes
 * it back are written together or not at all.
 */
import type { UseStore } from "idb-keyval";
import { deleteDatabase, strictStore } from "../storage/strict";
import { restoreHistory, type History, type HistoryEntry } from "./history";
import { parseImage, type ImageRecord } from "./record";

export interface DatasetChanges {
  images: readonly ImageRecord[];
  /** Ids whose records go for good. */
  purged: readonly string[];
  /** Entries that are new or grew. */
  entries: readonly HistoryEntry[];
  /** Numbers of entries that go. */
  forgotten: readonly number[];
  /** Number of the last entry in effect; 0 when there is none. */
  done: number;
}

/** Pictures are stored under their ids, which are UUIDs and never look like these. */
const historyPrefix = "history/";
const doneKey = "history-done";
/** Requests in flight at a time: a bulk edit of thousands must not hold up the page. */
const chunk = 250;

export class DatasetStore {
  #database: string;
  #use: UseStore;

  constructor(database: string) {
    this.#database = database;
    this.#use = strictStore(database);
  }

  async load(): Promise<{ images: ImageRecord[]; history: History }> {
    return this.#use("readonly", async (store) => {
      const [keys, values] = await Promise.all([
        answer(store.getAllKeys()),
        answer<unknown[]>(store.getAll()),
      ]);
      const images: ImageRecord[] = [];
      const entries: unknown[] = [];
      let done: unknown;
      for (const [index, key] of keys.entries()) {
        const value = values[index];
        if (key === doneKey) done = value;
        else if (isHistory(key)) entries.push(value);
        else {
          const image = parseImage(value);
          if (image) images.push(image);
        }
      }
      images.sort((a, b) => a.order - b.order);
      return { images, history: restoreHistory(entries, done) };
    });
  }

  /** @throws `storage-full`, `storage-failed`; nothing of `changes` is then on disk. */
  async write(changes: DatasetChanges): Promise<void> {
    await this.#use("readwrite", async (store) => {
      const requests: (() => IDBRequest)[] = [
        ...changes.images.map((image) => () => store.put(image, image.id)),
        ...changes.purged.map((id) => () => store.delete(id)),
        ...changes.entries.map((entry) => () => store.put(entry, historyKey(entry.seq))),
        ...changes.forgotten.map((seq) => () => store.delete(historyKey(seq))),
        () => store.put(changes.done, doneKey),
      ];
      for (let at = 0; at < requests.length; at += chunk) {
        const some = requests.slice(at, at + chunk).map((request) => answer(request()));
        // Without it the browser would wait for this page's next turn, which a page that is closing does not have.
        if (at + chunk >= requests.length) store.transaction.commit();
        await Promise.all(some);
      }
    });
  }

  /** Ids of all its pictures, those in the trash too. */
  async ids(): Promise<string[]> {
    const keys = await this.#use("readonly", (store) => answer(store.getAllKeys()));
    return keys.filter((key): key is string => typeof key === "string" && !isHistory(key));
  }

  /** Removes the database. */
  destroy(): Promise<void> {
    return deleteDatabase(this.#database);
  }
}

function isHistory(key: IDBValidKey): boolean {
  return key === doneKey || (typeof key === "string" && key.startsWith(historyPrefix));
}

function historyKey(seq: number): string {
  return historyPrefix + String(seq).padStart(12, "0");
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}
