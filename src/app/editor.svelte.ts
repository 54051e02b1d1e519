/** What the Dataset room looks at and changes: the filter, the picture in focus, marked pictures, bulk edits. */
import { edited, editLabel, type BulkEdit } from "../dataset/captionEdit/bulk";
import { search } from "../dataset/captionEdit/query";
import { countTags } from "../dataset/captionEdit/tags";
import { TextClient } from "../workers/text/client";
import type { Dataset } from "./dataset.svelte";
import type { ImageRecord } from "./records";

/** Which pictures a bulk edit is about. */
export type Scope = "all" | "shown" | "marked";

/** What a bulk edit would do to a caption. */
export interface CaptionChange {
  id: string;
  name: string;
  before: string;
  after: string;
}

export class Editor {
  filter = $state("");
  /** Id of the picture in focus; empty when there is none. */
  focused = $state("");
  #marks = $state.raw<ReadonlySet<string>>(new Set());

  #dataset: Dataset;
  #text = new TextClient();
  /** Token counts by text, asked for once. */
  #tokens = new Map<string, Promise<number>>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  shown = $derived.by((): readonly ImageRecord[] => search(this.#dataset.images, this.filter));
  current = $derived.by(() => this.#dataset.images.find(({ id }) => id === this.focused));
  /** Ids of pictures chosen for bulk edits. */
  marked = $derived.by((): ReadonlySet<string> => {
    if (this.#marks.size === 0) return this.#marks;
    return new Set(this.#dataset.images.map(({ id }) => id).filter((id) => this.#marks.has(id)));
  });
  /** Tags of the whole dataset by frequency. */
  tagCounts = $derived.by(() => countTags(this.#dataset.images.map(({ caption }) => caption)));

  focus(id: string): void {
    this.focused = id;
  }

  /** The neighbour of the picture in focus among those shown, or the first one. */
  move(by: number): void {
    const at = this.shown.findIndex(({ id }) => id === this.focused);
    const next = this.shown[Math.min(this.shown.length - 1, Math.max(0, at + by))];
    if (next) this.focused = next.id;
  }

  toggleMark(id: string): void {
    const marked = new Set(this.marked);
    if (!marked.delete(id)) marked.add(id);
    this.#marks = marked;
  }

  /** Marks the pictures shown between the one in focus and `id`. */
  markTo(id: string): void {
    const ids = this.shown.map((image) => image.id);
    const [from, to] = [ids.indexOf(this.focused), ids.indexOf(id)].sort((a, b) => a - b);
    this.#marks = new Set([...this.marked, ...ids.slice(Math.max(0, from ?? 0), (to ?? -1) + 1)]);
  }

  markShown(): void {
    this.#marks = new Set(this.shown.map(({ id }) => id));
  }

  clearMarks(): void {
    this.#marks = new Set();
  }

  inScope(scope: Scope): readonly ImageRecord[] {
    if (scope === "all") return this.#dataset.images;
    if (scope === "shown") return this.shown;
    return this.#dataset.images.filter(({ id }) => this.marked.has(id));
  }

  /** Every caption that `edit` would change. @throws `bad-pattern`, `slow-pattern` */
  async preview(edit: BulkEdit, scope: Scope, signal: AbortSignal): Promise<CaptionChange[]> {
    const images = this.inScope(scope);
    const captions = images.map(({ caption }) => caption);
    const after =
      edit.kind === "pattern"
        ? await this.#replacePattern(captions, edit, signal)
        : captions.map((caption) => edited(caption, edit));
    return images.flatMap(({ id, name, caption }, index) => {
      const next = after[index] ?? caption;
      return next === caption ? [] : [{ id, name, before: caption, after: next }];
    });
  }

  /** Does what was previewed, as one step. @returns how many captions changed */
  apply(edit: BulkEdit, changes: readonly CaptionChange[]): number {
    const edits = changes.map(({ id, after }) => ({
      id,
      caption: after,
      captionSource: "person" as const,
    }));
    return this.#dataset.change(editLabel(edit), edits);
  }

  /** CLIP's tokens of a text, without the two that every text has. */
  countTokens(text: string): Promise<number> {
    const known = this.#tokens.get(text);
    if (known) return known;
    if (this.#tokens.size > 500) this.#tokens.clear();
    const count = this.#text.countTokens([text]).then(([tokens = 0]) => tokens);
    this.#tokens.set(text, count);
    count.catch(() => this.#tokens.delete(text));
    return count;
  }

  async #replacePattern(
    captions: string[],
    { pattern, replacement, matchCase }: Extract<BulkEdit, { kind: "pattern" }>,
    signal: AbortSignal,
  ): Promise<string[]> {
    if (pattern === "") return captions;
    return this.#text.replacePattern(captions, { pattern, replacement, matchCase }, signal);
  }
}
