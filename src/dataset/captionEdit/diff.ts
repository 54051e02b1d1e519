/** What was changed between two captions, by tags where both are tags, else by words. */
import { isTagList, splitTags } from "./tags";

export interface DiffPart {
  kind: "same" | "added" | "removed";
  text: string;
}

/** More pieces than this are compared as a whole: the table would grow too large. */
const maxPieces = 600;

/** The pieces of both captions in order; `removed` ones are only in `before`, `added` ones only in `after`. */
export function diffCaptions(before: string, after: string): DiffPart[] {
  const isTags = (text: string) => text.trim() === "" || isTagList(text);
  const split = isTags(before) && isTags(after) ? splitTags : words;
  const [a, b] = [split(before), split(after)];
  if (a.length > maxPieces || b.length > maxPieces)
    return before === after
      ? parts("same", [after])
      : [...parts("removed", [before]), ...parts("added", [after])];
  return walk(a, b, commonLengths(a, b));
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function parts(kind: DiffPart["kind"], texts: readonly string[]): DiffPart[] {
  return texts.map((text) => ({ kind, text }));
}

/** `[i][j]`: length of the longest common subsequence of a from i and b from j. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    const [row = [], below = []] = [table[i], table[i + 1]];
    for (let j = b.length - 1; j >= 0; j--)
      row[j] = a[i] === b[j] ? 1 + (below[j + 1] ?? 0) : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
  }
  return table;
}

function walk(a: readonly string[], b: readonly string[], table: readonly number[][]): DiffPart[] {
  const result: DiffPart[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [one, other] = [a[i], b[j]];
    if (one !== undefined && one === other) {
      result.push({ kind: "same", text: one });
      i++;
      j++;
    } else if (
      other === undefined ||
      (one !== undefined && (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))
    ) {
      result.push({ kind: "removed", text: one ?? "" });
      i++;
    } else {
      result.push({ kind: "added", text: other });
      j++;
    }
  }
  return result;
}
