/**
 * The web UI's attention grammar: `(more)`, `[less]`, `(exactly:1.3)`, `\(literal\)`, BREAK.
 *
 * Multipliers nest by multiplication. Brackets without a partner never fail: a stray closing one is text, an opening
 * one acts to the end.
 */

/** A run of text of one weight. */
export interface WeightedText {
  text: string;
  weight: number;
}

const ROUND = 1.1;
const SQUARE = 1 / 1.1;

/** In order: escapes, brackets, `:number)`, a run of anything else, a lone colon. */
const TOKEN = /\\[()[\]\\]|\\|\(|\[|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|\)|\]|[^\\()[\]:]+|:/g;
/** The whole word, with the white space around it. */
const BREAK = /\s*(?<![\p{L}\p{N}_])BREAK(?![\p{L}\p{N}_])\s*/u;

/** What ends a text encoder's chunk. Its weight only tells it from the word, as in the original. */
export const breakMark: WeightedText = { text: "BREAK", weight: -1 };

export function isBreak({ text, weight }: WeightedText): boolean {
  return text === breakMark.text && weight === breakMark.weight;
}

function splitBreaks(text: string): WeightedText[] {
  const parts = text.split(BREAK).map((part): WeightedText => ({ text: part, weight: 1 }));
  return parts.flatMap((part, i) => (i === 0 ? [part] : [{ ...breakMark }, part]));
}

/** The pieces so far and the brackets still open in them. */
class Pieces {
  readonly list: WeightedText[] = [];
  readonly #round: number[] = [];
  readonly #square: number[] = [];

  #multiplyFrom(start: number | undefined, factor: number): void {
    if (start === undefined) return;
    for (const piece of this.list.slice(start)) piece.weight *= factor;
  }

  take(token: string, weight: string | undefined): void {
    if (token.startsWith("\\")) this.list.push({ text: token.slice(1), weight: 1 });
    else if (token === "(") this.#round.push(this.list.length);
    else if (token === "[") this.#square.push(this.list.length);
    else if (weight !== undefined && this.#round.length > 0)
      this.#multiplyFrom(this.#round.pop(), Number(weight));
    else if (token === ")" && this.#round.length > 0) this.#multiplyFrom(this.#round.pop(), ROUND);
    else if (token === "]" && this.#square.length > 0) this.#multiplyFrom(this.#square.pop(), SQUARE);
    else this.list.push(...splitBreaks(token));
  }

  finish(): WeightedText[] {
    for (const start of this.#round) this.#multiplyFrom(start, ROUND);
    for (const start of this.#square) this.#multiplyFrom(start, SQUARE);
    return this.list;
  }
}

function mergeEqualWeights(pieces: readonly WeightedText[]): WeightedText[] {
  const merged: WeightedText[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (last?.weight === piece.weight) last.text += piece.text;
    else merged.push({ ...piece });
  }
  return merged;
}

/** @returns at least one piece; an empty prompt is one empty piece of weight 1. */
export function parseAttention(prompt: string): WeightedText[] {
  const pieces = new Pieces();
  for (const match of prompt.matchAll(TOKEN)) pieces.take(match[0], match[1]);
  const merged = mergeEqualWeights(pieces.finish());
  return merged.length > 0 ? merged : [{ text: "", weight: 1 }];
}
