/** A list of phrases with their text features, ranked against a picture. */
import { countOf, dot, rowOf, topIndices, type Vectors } from "../clip/vectors";

export interface PhraseTable {
  readonly phrases: readonly string[];
  /** One unit vector per phrase. */
  readonly vectors: Vectors;
}

export interface Ranked {
  text: string;
  similarity: number;
}

/** CLIP Interrogator's default: longer lists are ranked in pieces of this many phrases. */
export const defaultChunkSize = 2048;

export function mergeTables(tables: readonly PhraseTable[]): PhraseTable {
  const width = tables.find((table) => table.vectors.width > 0)?.vectors.width ?? 0;
  const data = new Float32Array(tables.reduce((sum, table) => sum + table.vectors.data.length, 0));
  let at = 0;
  for (const { vectors } of tables) {
    data.set(vectors.data, at);
    at += vectors.data.length;
  }
  return { phrases: tables.flatMap((table) => table.phrases), vectors: { data, width } };
}

/** The `count` rows among `rows` that are most similar to the picture (least, when reversed), in order. */
function best(
  features: Float32Array,
  vectors: Vectors,
  rows: readonly number[],
  count: number,
  reverse: boolean,
): { row: number; similarity: number }[] {
  const values = Float64Array.from(rows, (row) => dot(features, rowOf(vectors, row)));
  const order = topIndices(reverse ? values.map((value) => -value) : values, count);
  return order.map((i) => ({ row: rows[i] ?? 0, similarity: values[i] ?? 0 }));
}

/**
 * CLIP Interrogator's ranking. A list longer than `chunkSize` is cut into ⌈N / chunkSize⌉ pieces, each keeps its best
 * ⌊chunkSize / pieces⌋, and the survivors are ranked together. That last ranking is never reversed, as in the
 * original: with `reverse` the survivors of a long list come out most similar first.
 */
export function rankPhrases(
  features: Float32Array,
  { phrases, vectors }: PhraseTable,
  count: number,
  { chunkSize = defaultChunkSize, reverse = false } = {},
): Ranked[] {
  const rows = Array.from({ length: countOf(vectors) }, (_, i) => i);
  const named = (found: { row: number; similarity: number }[]): Ranked[] =>
    found.map(({ row, similarity }) => ({ text: phrases[row] ?? "", similarity }));
  if (rows.length <= chunkSize) return named(best(features, vectors, rows, count, reverse));
  const pieces = Math.ceil(rows.length / chunkSize);
  const keep = Math.floor(chunkSize / pieces);
  const survivors = Array.from({ length: pieces }, (_, piece) =>
    best(features, vectors, rows.slice(piece * chunkSize, (piece + 1) * chunkSize), keep, reverse),
  ).flat();
  return named(
    best(
      features,
      vectors,
      survivors.map(({ row }) => row),
      count,
      false,
    ),
  );
}
