/** Prompts grown phrase by phrase: CLIP Interrogator's chain, and what it asks of CLIP. */
import type { ClipModel } from "../clip/model";
import { countOf, dot, rowOf } from "../clip/vectors";

/** A picture as CLIP sees it, and the texts one may hold against it. */
export interface Sight {
  clip: ClipModel;
  /** Unit vector of the picture. */
  features: Float32Array;
  /** Called between batches; throws when the person cancelled. */
  checkpoint?: (() => void) | undefined;
}

/** Similarity of each text with the picture. */
export async function similaritiesTo({ clip, features, checkpoint }: Sight, texts: readonly string[]) {
  const vectors = await clip.textFeatures(texts, checkpoint);
  return Array.from({ length: countOf(vectors) }, (_, i) => dot(features, rowOf(vectors, i)));
}

async function similarityTo(sight: Sight, text: string): Promise<number> {
  return (await similaritiesTo(sight, [text]))[0] ?? 0;
}

/** The text most like the picture (least, when reversed); of equals the first. */
export async function topText(sight: Sight, texts: readonly string[], reverse = false): Promise<string> {
  const values = await similaritiesTo(sight, texts);
  const signed = reverse ? values.map((value) => -value) : values;
  const best = signed.reduce((at, value, i) => (value > (signed[at] ?? -Infinity) ? i : at), 0);
  return texts[best] ?? "";
}

export interface ChainOptions {
  /** Phrases that are added even when they make the prompt fit less well. */
  minCount?: number;
  maxCount?: number;
  reverse?: boolean;
}

const separator = ", ";

/**
 * Adds to `start` the phrase that helps most, again and again, and returns the best prompt met on the way.
 *
 * Each round tries every remaining phrase at the end of the current prompt. It stops after `maxCount` rounds, when the
 * prompt fills the text encoder, or when a round beyond the first `minCount` makes the prompt no better. Without a
 * `start` it begins with the best phrase. As in CLIP Interrogator, the similarity of that first phrase is not negated
 * when reversed, although all later ones are.
 */
export async function chainPhrases(
  sight: Sight,
  phrases: readonly string[],
  start: { prompt: string; similarity: number },
  { minCount = 8, maxCount = 32, reverse = false }: ChainOptions = {},
): Promise<string> {
  const remaining = new Set(phrases);
  let best = start;
  if (best.prompt === "" && remaining.size > 0) {
    const prompt = await topText(sight, [...remaining], reverse);
    best = { prompt, similarity: await similarityTo(sight, prompt) };
    remaining.delete(prompt);
  }
  let current = best;
  for (let round = 0; round < maxCount && remaining.size > 0; round++) {
    const lead = current.prompt + separator;
    const prompt = await topText(
      sight,
      [...remaining].map((phrase) => lead + phrase),
      reverse,
    );
    const similarity = (await similarityTo(sight, prompt)) * (reverse ? -1 : 1);
    const candidate = { prompt, similarity };
    if (similarity > best.similarity) best = candidate;
    if (similarity <= current.similarity && round >= minCount) break;
    current = candidate;
    if (sight.clip.isFull(current.prompt)) break;
    remaining.delete(prompt.slice(lead.length));
  }
  return best.prompt;
}

/**
 * As many of the comma-separated parts as fit the text encoder. As in CLIP Interrogator the room for a part is
 * measured without its comma.
 */
export function truncateToFit(text: string, isFull: (text: string) => boolean): string {
  const [first = "", ...rest] = text.split(separator);
  let fitting = first;
  for (const part of rest) {
    if (isFull(fitting + part)) break;
    fitting += separator + part;
  }
  return fitting;
}
