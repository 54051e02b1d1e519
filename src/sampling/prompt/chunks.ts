/**
 * Cuts a weighted prompt into the text encoder's chunks: 75 tokens between a start and an end token, not through the
 * words after a comma where that can be avoided.
 */
import { isBreak } from "./attention";
import type { WeightedText } from "./attention";

export const START_TOKEN = 49406;
export const END_TOKEN = 49407;
/** `,</w>` */
const COMMA_TOKEN = 267;
export const CHUNK_TOKENS = 75;
/** The web UI's default for how many tokens may move to the next chunk. */
const COMMA_BACKTRACK = 20;

export interface PromptChunk {
  /** [77], start and end included. */
  tokens: number[];
  /** One weight per token; 1 for start, end and padding. */
  multipliers: number[];
}

export interface PromptChunks {
  chunks: PromptChunk[];
  /** What the token counter shows: full chunks count 75. */
  tokenCount: number;
}

export interface ChunkOptions {
  /** Text to ids without start and end. */
  encode: (text: string) => number[];
  /** What follows the first end token: the end token (SD1) or 0 (SD2). */
  padToken?: number;
  commaBacktrack?: number;
}

/** Start, content, end, and padding to the full length. */
function closeChunk(
  tokens: readonly number[],
  multipliers: readonly number[],
  padToken: number,
): PromptChunk {
  const missing = CHUNK_TOKENS - tokens.length;
  const padding = Array<number>(missing).fill(padToken);
  return {
    tokens: [START_TOKEN, ...tokens, END_TOKEN, ...padding],
    multipliers: [1, ...multipliers, 1, ...Array<number>(missing).fill(1)],
  };
}

class Chunker {
  readonly chunks: PromptChunk[] = [];
  readonly #pad: number;
  readonly #backtrack: number;
  #tokens: number[] = [];
  #multipliers: number[] = [];
  #lastComma = -1;

  constructor(options: ChunkOptions) {
    this.#pad = options.padToken ?? END_TOKEN;
    this.#backtrack = options.commaBacktrack ?? COMMA_BACKTRACK;
  }

  get pending(): number {
    return this.#tokens.length;
  }

  close(): void {
    this.chunks.push(closeChunk(this.#tokens, this.#multipliers, this.#pad));
    this.#tokens = [];
    this.#multipliers = [];
    this.#lastComma = -1;
  }

  /** Closes after the last comma and carries on with what followed it. */
  #closeAtComma(): void {
    const cut = this.#lastComma + 1;
    const tokens = this.#tokens.splice(cut);
    const multipliers = this.#multipliers.splice(cut);
    this.close();
    this.#tokens = tokens;
    this.#multipliers = multipliers;
  }

  #commaIsNear(): boolean {
    return this.#lastComma !== -1 && this.pending - this.#lastComma <= this.#backtrack;
  }

  add(token: number, weight: number): void {
    if (token === COMMA_TOKEN) this.#lastComma = this.pending;
    else if (this.#backtrack !== 0 && this.pending === CHUNK_TOKENS && this.#commaIsNear())
      this.#closeAtComma();
    if (this.pending === CHUNK_TOKENS) this.close();
    this.#tokens.push(token);
    this.#multipliers.push(weight);
  }
}

/** @returns at least one chunk. */
export function chunkPrompt(pieces: readonly WeightedText[], options: ChunkOptions): PromptChunks {
  const chunker = new Chunker(options);
  for (const piece of pieces) {
    if (isBreak(piece)) chunker.close();
    else for (const token of options.encode(piece.text)) chunker.add(token, piece.weight);
  }
  const { chunks, pending } = chunker;
  const tokenCount = chunks.length * CHUNK_TOKENS + pending;
  if (pending > 0 || chunks.length === 0) chunker.close();
  return { chunks, tokenCount };
}
