/**
 * Small records by id, each read through a parse function that fills, repairs or refuses what an older version
 * or a broken disk left behind.
 */
import { del, get, getMany, set, setMany, values, delMany, keys } from "idb-keyval";
import { strictStore } from "./strict";

export class Records<T extends { id: string }> {
  #store: ReturnType<typeof strictStore>;
  #parse: (value: unknown) => T | undefined;

  /** @param parse gives undefined for a value that cannot be used; it is then left alone and not listed. */
  constructor(name: string, parse: (value: unknown) => T | undefined) {
    this.#store = strictStore(name);
    this.#parse = parse;
  }

  async all(): Promise<T[]> {
    const stored = await values<unknown>(this.#store);
    return stored.map(this.#parse).filter((record) => record !== undefined);
  }

  put(record: T): Promise<void> {
    return set(record.id, record, this.#store);
  }

  remove(id: string): Promise<void> {
    return del(id, this.#store);
  }
}

/** Large values (pictures, LoRA files) by key, apart from the records that list them. */
export class Files<T> {
  #store: ReturnType<typeof strictStore>;

  constructor(name: string) {
    this.#store = strictStore(name);
  }

  put(key: string, value: T): Promise<void> {
    return set(key, value, this.#store);
  }

  /** All or none. */
  putMany(entries: [key: string, value: T][]): Promise<void> {
    return setMany(entries, this.#store);
  }

  get(key: string): Promise<T | undefined> {
    return get<T>(key, this.#store);
  }

  /** In the order of the keys. */
  getMany(keys: string[]): Promise<(T | undefined)[]> {
    return getMany<T>(keys, this.#store);
  }

  remove(key: string): Promise<void> {
    return del(key, this.#store);
  }

  removeMany(keys: string[]): Promise<void> {
    return delMany(keys, this.#store);
  }

  /** Keys that begin with `prefix`, sorted. */
  async keysUnder(prefix: string): Promise<string[]> {
    const all = await keys<IDBValidKey>(this.#store);
    return all.filter((key): key is string => typeof key === "string" && key.startsWith(prefix)).sort();
  }

  async removeUnder(prefix: string): Promise<void> {
    await delMany(await this.keysUnder(prefix), this.#store);
  }
}
