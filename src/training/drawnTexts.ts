/**
 * Text states of captions that change from draw to draw. Which captions the coming steps draw is known in advance, so
 * they are encoded some steps at a time, and forgotten when they are not drawn again.
 */
import { invariant } from "../base/errors";
import type { EncodedText, LoadedModel } from "../models/loadedModel";

/** Steps whose texts are encoded in one go: some tens of MB at Stable Diffusion's sizes. */
const WINDOW = 16;

export class DrawnTexts {
  readonly #model: LoadedModel;
  readonly #clipSkip: number;
  /** By token ids. */
  #states = new Map<string, EncodedText>();
  #first = 0;
  #end = 0;

  constructor(model: LoadedModel, clipSkip: number) {
    this.#model = model;
    this.#clipSkip = clipSkip;
  }

  /** Encodes what the steps from `step` on draw, unless that was done with an earlier step. @param drawn ids of a step's captions */
  async prepare(step: number, drawn: (step: number) => readonly (readonly number[])[]): Promise<void> {
    if (step >= this.#first && step < this.#end) return;
    const steps = Array.from({ length: WINDOW }, (_, i) => step + i);
    const rows = new Map(steps.flatMap(drawn).map((ids) => [keyOf(ids), ids]));
    const missing = [...rows].filter(([key]) => !this.#states.has(key));
    const encoded = await this.#model.encodeText(
      missing.map(([, ids]) => ids),
      this.#clipSkip,
    );
    const kept = [...this.#states].filter(([key]) => rows.has(key));
    this.#states = new Map(kept);
    missing.forEach(([key], index) => {
      const states = encoded[index];
      if (states) this.#states.set(key, states);
    });
    this.#first = step;
    this.#end = step + WINDOW;
  }

  /** @throws InternalError when {@link prepare} did not cover it */
  text(ids: readonly number[]): EncodedText {
    const states = this.#states.get(keyOf(ids));
    invariant(states, "a caption is drawn that was not prepared");
    return states;
  }
}

function keyOf(ids: readonly number[]): string {
  return ids.join(" ");
}
