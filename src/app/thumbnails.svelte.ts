/** Small pictures for the grid: read when a card comes near the screen, shown through object URLs. */
import { SvelteMap } from "svelte/reactivity";
import { Files } from "../storage/records";

export const thumbnailFiles = new Files<Blob>("weft-thumbnails");

export class Thumbnails {
  /** By id of the picture. */
  #urls = new SvelteMap<string, string>();

  /** Object URL, once the thumbnail is read; empty until then. */
  url(id: string): string {
    return this.#urls.get(id) ?? "";
  }

  async load(id: string): Promise<void> {
    if (this.#urls.has(id)) return;
    const blob = await thumbnailFiles.get(id);
    if (blob && !this.#urls.has(id)) this.#urls.set(id, URL.createObjectURL(blob));
  }

  clear(): void {
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
    this.#urls.clear();
  }
}
