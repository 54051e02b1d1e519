/** Captions as lists of comma-separated tags. */

/** Tags of a caption in order, trimmed, without empty ones. */
export function splitTags(caption: string): string[] {
  return caption
    .split(/[,\n]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

export function joinTags(tags: readonly string[]): string {
  return tags.join(", ");
}

/** Whether a caption reads as tags and not as a sentence: one line of several pieces, most of them short. */
export function isTagList(caption: string): boolean {
  const tags = splitTags(caption);
  const short = tags.filter((tag) => tag.split(/\s+/).length <= 4);
  return tags.length > 1 && !caption.includes("\n") && short.length > 0.6 * tags.length;
}

/** Case and spaces do not tell tags apart. */
export function tagKey(tag: string): string {
  return tag.trim().replace(/\s+/g, " ").toLowerCase();
}

export interface TagCount {
  /** As it is written first. */
  tag: string;
  /** Captions that have it; twice in one caption counts once. */
  count: number;
}

/** Tags of all captions, the most frequent first, then by alphabet. */
export function countTags(captions: readonly string[]): TagCount[] {
  const counts = new Map<string, TagCount>();
  for (const caption of captions) {
    const seen = new Set<string>();
    for (const tag of splitTags(caption)) {
      const key = tagKey(tag);
      if (seen.has(key)) continue;
      seen.add(key);
      const known = counts.get(key);
      if (known) known.count++;
      else counts.set(key, { tag, count: 1 });
    }
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1));
}

/** Tags of the captions that also have `tag`, counted among those captions, without `tag` itself. */
export function tagsBeside(captions: readonly string[], tag: string): TagCount[] {
  const key = tagKey(tag);
  const having = captions.filter((caption) => splitTags(caption).some((one) => tagKey(one) === key));
  return countTags(having).filter((one) => tagKey(one.tag) !== key);
}

/** Tags to go on with, for what was typed: those that begin with it first, by frequency; none of `present`. */
export function suggestTags(
  counts: readonly TagCount[],
  typed: string,
  present: readonly string[],
  limit = 8,
): string[] {
  const key = tagKey(typed);
  if (key === "") return [];
  const taken = new Set(present.map(tagKey));
  const fitting = counts.filter(({ tag }) => tagKey(tag).includes(key) && !taken.has(tagKey(tag)));
  const begins = fitting.filter(({ tag }) => tagKey(tag).startsWith(key));
  const others = fitting.filter(({ tag }) => !tagKey(tag).startsWith(key));
  return [...begins, ...others].slice(0, limit).map(({ tag }) => tag);
}

/** The list with the item at `from` moved to `to`; positions outside leave it as it is. */
export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const result = [...items];
  if (from < 0 || from >= items.length || to < 0 || to >= items.length) return result;
  result.splice(to, 0, ...result.splice(from, 1));
  return result;
}
