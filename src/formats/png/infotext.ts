/**
 * The generation settings that AUTOMATIC1111 writes into images ("infotext"):
 *
 *     prompt
 *     Negative prompt: ...
 *     Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x512, ...
 */

export interface Infotext {
  readonly prompt: string;
  readonly negativePrompt: string;
  /** `Steps`, `Sampler`, ... in writing order, values as text. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Keyword of the PNG text. */
export const INFOTEXT_KEYWORD = "parameters";

const NEGATIVE = "Negative prompt:";
/** Longest infotext that is looked at. */
const MAX_LENGTH = 1 << 18;
/** Longest line of fields: with unclosed quotes the pattern's time grows with the square of it. */
const MAX_FIELDS_LENGTH = 1 << 14;

/** The text; the negative prompt's line is left out when empty. */
export function buildInfotext({ prompt, negativePrompt, fields }: Infotext): string {
  const pairs = [...fields].map(([key, value]) => (key === value ? key : `${key}: ${quote(value)}`));
  const lines = [prompt, ...(negativePrompt ? [`${NEGATIVE} ${negativePrompt}`] : []), pairs.join(", ")];
  return lines.join("\n").trim();
}

/** A text as a JSON string when it could be mistaken for several fields. */
function quote(value: string): string {
  return /[,\n:]/.test(value) ? JSON.stringify(value) : value;
}

const FIELD = /(\w[\w \-/]{1,63}):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;
/** Fewer fields on the last line mean that it belongs to the prompt. */
const MIN_FIELDS = 3;

/** Reads an infotext leniently; anything is a valid one. */
export function parseInfotext(text: string): Infotext {
  const lines = text.slice(0, MAX_LENGTH).trim().split("\n");
  const last = [...(lines.at(-1) ?? "").slice(0, MAX_FIELDS_LENGTH).matchAll(FIELD)];
  const hasFields = last.length >= MIN_FIELDS;
  const body = hasFields ? lines.slice(0, -1) : lines;
  const at = body.findIndex((line) => line.trim().startsWith(NEGATIVE));
  const prompt = at < 0 ? body : body.slice(0, at);
  const negative = at < 0 ? [] : [(body[at] ?? "").trim().slice(NEGATIVE.length), ...body.slice(at + 1)];
  return {
    prompt: joined(prompt),
    negativePrompt: joined(negative),
    fields: new Map(hasFields ? last.map(([, key = "", value = ""]) => [key, unquote(value)]) : []),
  };
}

function joined(lines: readonly string[]): string {
  return lines
    .map((line) => line.trim())
    .join("\n")
    .trim();
}

function unquote(value: string): string {
  if (!/^".*"$/.test(value)) return value.trim();
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
