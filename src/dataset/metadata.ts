/**
 * Captions in one file beside the pictures: `metadata.jsonl` as dataset hubs use it (`file_name`, `text`), kohya's JSON lines
 * (`image_path`, `caption`, `tags`) and kohya's `meta_cap.json` (path → `{caption, tags}`).
 */
import * as v from "valibot";
import { WeftError } from "../base/errors";

export interface MetadataEntry {
  /** As written in the file: a path on someone's disk, good for finding a picture by its end only. */
  file: string;
  caption: string;
}

/** 10 000 captions of a thousand letters. */
export const maxMetadataBytes = 16 * 1024 ** 2;

const text = v.optional(v.nullable(v.string()));
const tags = v.optional(v.nullable(v.union([v.string(), v.array(v.string())])));
const entrySchema = v.object({
  file_name: text,
  image_path: text,
  file: text,
  image: text,
  text,
  caption: text,
  prompt: text,
  tags,
});
type Entry = v.InferOutput<typeof entrySchema>;

/** The caption, and the tags behind it as the trainer joins them. */
function captionOf({ text: plain, caption, prompt, tags: given }: Entry): string {
  const words = plain ?? caption ?? prompt ?? "";
  const list = Array.isArray(given) ? given.join(", ") : (given ?? "");
  return [words, list]
    .map((part) => part.trim())
    .filter(Boolean)
    .join(", ");
}

function fileOf({ file_name, image_path, file, image }: Entry): string {
  return file_name ?? image_path ?? file ?? image ?? "";
}

/** @returns undefined when a line is no entry. */
function readLine(line: string): MetadataEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(entrySchema, value);
  if (!parsed.success) return undefined;
  const file = fileOf(parsed.output);
  return file ? { file, caption: captionOf(parsed.output) } : undefined;
}

export interface Metadata {
  entries: MetadataEntry[];
  /** Lines that are no entry. */
  broken: number;
}

/** @throws WeftError `bad-metadata`; the message reads after the file's name. */
export function readJsonLines(content: string): Metadata {
  const lines = content.split(/\r?\n/).filter((line) => line.trim() !== "");
  const entries = lines.map(readLine).filter((entry) => entry !== undefined);
  if (entries.length > 0) return { entries, broken: lines.length - entries.length };
  throw new WeftError(
    "bad-metadata",
    "has no line that names a picture and its caption.",
    'Each line should be like {"file_name": "cat.png", "text": "a cat"}.',
  );
}

/** @throws WeftError `bad-metadata`; the message reads after the file's name. */
export function readMetadataJson(content: string): Metadata {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new WeftError(
      "bad-metadata",
      "is not valid JSON.",
      "Export it again from the program that made it.",
    );
  }
  const parsed = v.safeParse(v.union([v.array(entrySchema), v.record(v.string(), entrySchema)]), value);
  const list = parsed.success ? parsed.output : [];
  const entries = Array.isArray(list)
    ? list.map((entry) => ({ file: fileOf(entry), caption: captionOf(entry) }))
    : Object.entries(list).map(([file, entry]) => ({ file, caption: captionOf(entry) }));
  const named = entries.filter(({ file, caption }) => file && caption);
  if (named.length > 0) return { entries: named, broken: entries.length - named.length };
  throw new WeftError("bad-metadata", "is JSON, but no list of pictures with captions.");
}
