/**
 * CLIP's tokenizer: cleaned text to byte-pair ids, padded rows and long-prompt chunks.
 * The byte-pair encoding itself is @huggingface/tokenizers'; the merge table is openai/CLIP's (MIT), shipped as
 * `public/tokenizer/clip-merges.txt`.
 */
import { Tokenizer } from "@huggingface/tokenizers";
import { invariant } from "../../base/errors";
import { cleanText } from "./cleanText";

export const CLIP_BOS = 49406;
export const CLIP_EOS = 49407;
/** Tokens per row of a text encoder, BOS and EOS included. */
export const CLIP_LENGTH = 77;
/** Tokens of the prompt in one row. */
export const CLIP_CHUNK = CLIP_LENGTH - 2;

/** What follows the first EOS: SD1 and SDXL's first encoder repeat EOS, SD2 and SDXL's second use 0. */
export type PadToken = typeof CLIP_EOS | 0;

export interface ClipTokenizer {
  /** Ids of the text without BOS and EOS, not truncated. */
  encode(text: string): number[];
  /** `[BOS] + ids[:75] + [EOS] + pad...`, 77 ids. */
  encodePadded(text: string, pad: PadToken): number[];
  /** Number of ids of the text. */
  countTokens(text: string): number;
  /**
   * The trainer's rows for long captions (`max_token_length` = 75 * `rows`): [rows][77], the text cut at that
   * length; every row has its own BOS and EOS.
   */
  chunks(text: string, rows: number, pad: PadToken): number[][];
}

const MERGE_COUNT = 48894;

/**
 * @param merges the merge table, one pair per line, in order of rank.
 * @throws InternalError when it is not the table of CLIP.
 */
export function createClipTokenizer(merges: string): ClipTokenizer {
  const pairs = merges.split("\n").filter((line) => line !== "");
  invariant(pairs.length === MERGE_COUNT, () => `CLIP has ${MERGE_COUNT} merges, got ${pairs.length}`);
  const tokenizer = new Tokenizer(description(pairs), {});
  const encode = (text: string) => tokenizer.encode(cleanText(text), { add_special_tokens: false }).ids;
  return {
    encode,
    encodePadded: (text, pad) => padded(encode(text), CLIP_LENGTH, pad),
    countTokens: (text) => encode(text).length,
    chunks: (text, rows, pad) => splitRows(padded(encode(text), rows * CLIP_CHUNK + 2, pad), pad),
  };
}

/** `[BOS] + ids + [EOS]` cut and padded to `length`. */
function padded(ids: readonly number[], length: number, pad: PadToken): number[] {
  const row = [CLIP_BOS, ...ids.slice(0, length - 2), CLIP_EOS];
  return [...row, ...Array.from({ length: length - row.length }, () => pad)];
}

/** Cuts a long padded row as sd-scripts does: every piece gets the long row's first and last id around it. */
function splitRows(long: readonly number[], pad: PadToken): number[][] {
  const rows: number[][] = [];
  for (let at = 1; at + CLIP_CHUNK < long.length; at += CLIP_CHUNK) {
    const row = [CLIP_BOS, ...long.slice(at, at + CLIP_CHUNK), long.at(-1) ?? pad];
    if (pad !== CLIP_EOS) closeRow(row, pad);
    rows.push(row);
  }
  return rows;
}

/** With a pad other than EOS, full rows must still end in EOS and empty rows must contain one. */
function closeRow(row: number[], pad: PadToken): void {
  const last = row[CLIP_LENGTH - 2];
  if (last !== CLIP_EOS && last !== pad) row[CLIP_LENGTH - 1] = CLIP_EOS;
  if (row[1] === pad) row[1] = CLIP_EOS;
}

/** Words: contractions, runs of letters, single digits, runs of anything else. */
const WORDS = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

const SPECIAL = [
  { id: CLIP_BOS, content: "<|startoftext|>" },
  { id: CLIP_EOS, content: "<|endoftext|>" },
];

/** The tokenizer.json that the library wants; the text arrives already normalised. */
function description(merges: readonly string[]): object {
  const flags = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
  return {
    added_tokens: SPECIAL.map((token) => ({ ...token, ...flags })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: WORDS }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: "BPE",
      end_of_word_suffix: "</w>",
      unk_token: "<|endoftext|>",
      vocab: vocabulary(merges),
      merges,
    },
  };
}

/** Ids: 256 bytes, the same bytes as word ends, one id per merge, then the two special tokens. */
function vocabulary(merges: readonly string[]): Record<string, number> {
  const bytes = byteCharacters();
  const tokens = [...bytes, ...bytes.map((c) => `${c}</w>`), ...merges.map((pair) => pair.replace(" ", ""))];
  const all = [...tokens, ...SPECIAL.map((token) => token.content)];
  return Object.fromEntries(all.map((token, id) => [token, id]));
}

/** The 256 bytes as printable characters, in the order of CLIP's ids: printable Latin-1 first, then the rest. */
function byteCharacters(): string[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const printable = bytes.filter((b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174);
  const others = bytes.length - printable.length;
  return [...printable, ...Array.from({ length: others }, (_, n) => 256 + n)].map((c) =>
    String.fromCharCode(c),
  );
}
