/** Captioning choices and phrase lists on disk, each dataset's own. A new dataset begins with those that were used last. */
import { delMany, getMany, setMany } from "idb-keyval";
import { listIds, type ListId } from "../captioning/interrogator/lists";
import { parsePhraseList } from "../captioning/phraseList";
import { strictStore } from "../storage/strict";
import { parsePreferences, type CaptionPreferences } from "./captionPreferences";

export interface CaptionChoices {
  preferences: CaptionPreferences;
  /** Those that the person changed. */
  lists: ReadonlyMap<ListId, readonly string[]>;
}

/** In place of a dataset's id: what was used last, in any of them. */
const last = "";

function keysOf(dataset: string): string[] {
  const key = (name: string): string => (dataset === last ? name : `${name} ${dataset}`);
  return [key("preferences"), ...listIds.map((id) => key(`list ${id}`))];
}

export class CaptionStore {
  #use = strictStore("weft-captioning");

  async read(dataset: string): Promise<CaptionChoices> {
    const own = await this.#get(dataset);
    if (own[0] === undefined) await this.copy(last, dataset);
    const [preferences, ...texts] = own[0] === undefined ? await this.#get(dataset) : own;
    const lists = listIds.flatMap((id, i) => {
      const text = texts[i];
      return typeof text === "string" ? [[id, parsePhraseList(text)] as const] : [];
    });
    return { preferences: parsePreferences(preferences), lists: new Map(lists) };
  }

  keepPreferences(dataset: string, preferences: CaptionPreferences): Promise<void> {
    return this.#put(dataset, 0, preferences);
  }

  /** @param phrases undefined: Weft's own list again */
  keepList(dataset: string, id: ListId, phrases: readonly string[] | undefined): Promise<void> {
    return this.#put(dataset, 1 + listIds.indexOf(id), phrases?.join("\n"));
  }

  async copy(from: string, to: string): Promise<void> {
    const values = await this.#get(from);
    const preferences = parsePreferences(values[0]);
    const entries = keysOf(to).map((key, i): [string, unknown] => [key, i === 0 ? preferences : values[i]]);
    await setMany(entries, this.#use);
  }

  remove(dataset: string): Promise<void> {
    return delMany(keysOf(dataset), this.#use);
  }

  #get(dataset: string): Promise<unknown[]> {
    return getMany<unknown>(keysOf(dataset), this.#use);
  }

  #put(dataset: string, place: number, value: unknown): Promise<void> {
    const entries = [dataset, last].map((one): [string, unknown] => [keysOf(one)[place] ?? "", value]);
    return setMany(entries, this.#use);
  }
}
