/** Golden kind `tokenizer`: prompt → CLIP ids, padded rows, long-prompt chunks. */
import { CLIP_EOS, type ClipTokenizer, type PadToken } from "../../../src/formats/tokenizer/clipTokenizer";
import { loadClipTokenizer } from "../../lib/clipTokenizer";
import type { VerifyCase, VerifyKind, VerifyOutcome } from "../types";

interface PromptRow {
  text: string;
  ids: number[];
  /** Ids that other common set-ups give; equal to one of them passes with a note. */
  alt?: Record<string, number[]>;
}
interface PaddedRow {
  text: string;
  sd1: number[];
  sd2: number[];
}
interface ChunksRow {
  text: string;
  family: string;
  max_token_length: number;
  chunks: number[][];
}
interface TokenizerCase {
  prompts?: PromptRow[];
  padded77?: PaddedRow[];
  long_chunks?: ChunksRow[];
}

export const kind: VerifyKind = {
  name: "tokenizer",
  async run(c: VerifyCase, env): Promise<VerifyOutcome[]> {
    const tokenizer = await env.once("clip-tokenizer", loadClipTokenizer);
    const { prompts = [], padded77 = [], long_chunks = [] } = c.case as TokenizerCase;
    return [
      summary(
        "prompts",
        prompts.map((row) => checkPrompt(tokenizer, row)),
      ),
      summary(
        "padded77",
        padded77.map((row) => checkPadded(tokenizer, row)),
      ),
      summary(
        "long_chunks",
        long_chunks.map((row) => checkChunks(tokenizer, row)),
      ),
    ];
  },
};

/** null = equal; a text that begins with `note:` = passed with a note; other text = failed. */
type RowResult = string | null;

function checkPrompt(tokenizer: ClipTokenizer, row: PromptRow): RowResult {
  const ids = tokenizer.encode(row.text);
  if (same(ids, row.ids)) return null;
  const alternative = Object.entries(row.alt ?? {}).find(([, other]) => same(ids, other));
  if (alternative) return `note: ${JSON.stringify(row.text)} equals ${alternative[0]}`;
  return `${JSON.stringify(row.text)} gave [${ids.join(" ")}], expected [${row.ids.join(" ")}]`;
}

function checkPadded(tokenizer: ClipTokenizer, row: PaddedRow): RowResult {
  const equal =
    same(tokenizer.encodePadded(row.text, CLIP_EOS), row.sd1) &&
    same(tokenizer.encodePadded(row.text, 0), row.sd2);
  return equal ? null : `${JSON.stringify(row.text)} differs`;
}

function checkChunks(tokenizer: ClipTokenizer, row: ChunksRow): RowResult {
  const pad: PadToken = row.family === "sd1" ? CLIP_EOS : 0;
  const rows = tokenizer.chunks(row.text, row.max_token_length / 75, pad);
  return same(rows, row.chunks)
    ? null
    : `${JSON.stringify(row.text.slice(0, 40))} ${row.family} ${row.max_token_length} differs`;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function summary(name: string, results: readonly RowResult[]): VerifyOutcome {
  const failed = results.filter((result) => result !== null && !result.startsWith("note:"));
  const notes = results.filter((result) => result?.startsWith("note:"));
  const detail = [...failed.slice(0, 5), ...notes].join("; ");
  return { name, status: failed.length > 0 ? "failed" : "passed", ...(detail ? { detail } : {}) };
}
