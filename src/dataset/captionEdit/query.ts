/**
 * Finding pictures by words: `cat -dog tag:"red hair" -tag:smile name:beach`. Words look in names and captions, `tag:`
 * wants a whole tag, `caption:` and `name:` look there only, `-` excludes. All terms must hold.
 */
import { splitTags, tagKey } from "./tags";

interface Term {
  where: "any" | "tag" | "caption" | "name";
  text: string;
  exclude: boolean;
}

function parseQuery(query: string): Term[] {
  const terms: Term[] = [];
  for (const match of query.matchAll(/(-?)(?:(tag|caption|name):)?(?:"([^"]*)"?|(\S+))/gi)) {
    const [, minus, where, quoted, bare] = match;
    const text = (quoted ?? bare ?? "").toLowerCase();
    if (text === "" || text === "-") continue;
    terms.push({ exclude: minus === "-", where: (where?.toLowerCase() ?? "any") as Term["where"], text });
  }
  return terms;
}

export interface Searched {
  name: string;
  caption: string;
}

/** Those that match, in their order. */
export function search<T extends Searched>(images: readonly T[], query: string): readonly T[] {
  const terms = parseQuery(query);
  if (terms.length === 0) return images;
  return images.filter((image) => terms.every((term) => holds(term, image) !== term.exclude));
}

function holds({ where, text }: Term, { name, caption }: Searched): boolean {
  switch (where) {
    case "tag":
      return splitTags(caption).some((tag) => tagKey(tag) === tagKey(text));
    case "caption":
      return caption.toLowerCase().includes(text);
    case "name":
      return name.toLowerCase().includes(text);
    case "any":
      return `${name}\n${caption}`.toLowerCase().includes(text);
  }
}

/** The query with a wish about a tag added, or taken away when it is there already. */
export function toggledTag(query: string, tag: string, exclude: boolean): string {
  const term = `tag:"${tag.replaceAll('"', "")}"`;
  const [wanted, other] = exclude ? [`-${term}`, term] : [term, `-${term}`];
  const words: string[] = query.match(/-?(?:\w+:)?(?:"[^"]*"?|\S+)/g) ?? [];
  const rest = words.filter((word) => word !== wanted && word !== other);
  return (words.includes(wanted) ? rest : [...rest, wanted]).join(" ");
}
