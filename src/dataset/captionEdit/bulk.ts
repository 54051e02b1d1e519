/** Changes of many captions at once, as functions of one caption. Patterns run elsewhere, where they can be stopped. */
import { joinTags, splitTags, tagKey } from "./tags";

export type BulkEdit =
  | { kind: "add"; tags: string; where: "front" | "back" }
  | { kind: "remove"; tags: string }
  | { kind: "replace"; find: string; replacement: string; wholeTags: boolean; matchCase: boolean }
  | { kind: "pattern"; pattern: string; replacement: string; matchCase: boolean };

/** What the edit does to a caption; captions it does not concern come back letter for letter. */
export function edited(caption: string, edit: Exclude<BulkEdit, { kind: "pattern" }>): string {
  switch (edit.kind) {
    case "add":
      return byLine(caption, (line) => withAdded(line, splitTags(edit.tags), edit.where));
    case "remove": {
      const gone = new Set(splitTags(edit.tags).map(tagKey));
      return byLine(caption, (line) =>
        withTags(line, (tags) => tags.filter((tag) => !gone.has(tagKey(tag)))),
      );
    }
    case "replace":
      return edit.wholeTags
        ? byLine(caption, (line) => withTags(line, (tags) => withReplaced(tags, edit)))
        : replaceText(caption, edit.find, edit.replacement, edit.matchCase);
  }
}

function byLine(caption: string, change: (line: string) => string): string {
  return caption.split("\n").map(change).join("\n");
}

/** Rewrites a line's tags only when they change: its own spaces and commas stay otherwise. */
function withTags(line: string, change: (tags: string[]) => string[]): string {
  const before = splitTags(line);
  const after = change(before);
  return after.length === before.length && after.every((tag, i) => tag === before[i])
    ? line
    : joinTags(after);
}

function withAdded(line: string, tags: readonly string[], where: "front" | "back"): string {
  const present = new Set(splitTags(line).map(tagKey));
  const added = tags.filter((tag) => !present.has(tagKey(tag)));
  if (added.length === 0) return line;
  const text = line.trim().replace(/^,\s*|\s*,$/g, "");
  if (text === "") return joinTags(added);
  return where === "front" ? `${joinTags(added)}, ${text}` : `${text}, ${joinTags(added)}`;
}

/** Tags that equal `find` become `replacement`, which may be several tags or none; what is then twice goes. */
function withReplaced(
  tags: readonly string[],
  { find, replacement, matchCase }: { find: string; replacement: string; matchCase: boolean },
): string[] {
  const wanted = matchCase ? find.trim() : tagKey(find);
  const isWanted = (tag: string) => (matchCase ? tag : tagKey(tag)) === wanted;
  if (wanted === "" || !tags.some(isWanted)) return [...tags];
  const result = tags.flatMap((tag) => (isWanted(tag) ? splitTags(replacement) : [tag]));
  return result.filter((tag, i) => result.findIndex((one) => tagKey(one) === tagKey(tag)) === i);
}

function replaceText(text: string, find: string, replacement: string, matchCase: boolean): string {
  if (find === "") return text;
  if (matchCase) return text.replaceAll(find, replacement);
  const literal = new RegExp(find.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");
  return text.replace(literal, () => replacement);
}

/** For the Undo button. */
export function editLabel(edit: BulkEdit): string {
  switch (edit.kind) {
    case "add":
      return `Add "${edit.tags.trim()}"`;
    case "remove":
      return `Remove "${edit.tags.trim()}"`;
    case "replace":
      return `Replace "${edit.find}"`;
    case "pattern":
      return `Replace /${edit.pattern}/`;
  }
}
