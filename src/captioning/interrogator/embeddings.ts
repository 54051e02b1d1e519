/** Text features of phrase lists: computed once per model and list, then kept. */
import { sha256 } from "hash-wasm";
import type { ClipModel } from "../clip/model";
import type { VectorCache } from "../types";
import type { PhraseTable } from "./table";

interface Surroundings {
  vectors: VectorCache;
  modelKey: string;
  checkpoint(): void;
}

/** Phrases encoded between two looks at whether the person cancelled. */
const step = 256;

/** CLIP Interrogator's identity of a list: SHA-256 of its entries joined by commas, hex. */
export function listHash(phrases: readonly string[]): Promise<string> {
  return sha256(phrases.join(","));
}

/**
 * The table of a list, from the cache where it is there.
 * @param onDone hears how many phrases have their features.
 */
export async function embedPhrases(
  clip: ClipModel,
  phrases: readonly string[],
  { vectors, modelKey, checkpoint }: Surroundings,
  onDone: (done: number) => void,
): Promise<PhraseTable> {
  const key = `${modelKey}/${await listHash(phrases)}`;
  const kept = await vectors.get(key);
  if (kept && phrases.length > 0 && kept.length % phrases.length === 0)
    return { phrases, vectors: { data: kept, width: kept.length / phrases.length } };
  const table = await compute(clip, phrases, checkpoint, onDone);
  await vectors.put(key, table.vectors.data);
  return table;
}

async function compute(
  clip: ClipModel,
  phrases: readonly string[],
  checkpoint: () => void,
  onDone: (done: number) => void,
): Promise<PhraseTable> {
  let data = new Float32Array();
  let width = 0;
  for (let start = 0; start < phrases.length; start += step) {
    checkpoint();
    const part = await clip.textFeatures(phrases.slice(start, start + step), (done) => onDone(start + done));
    if (width === 0) {
      width = part.width;
      data = new Float32Array(phrases.length * width);
    }
    data.set(part.data, start * width);
  }
  return { phrases, vectors: { data, width } };
}
