/** Captions that are missing, all the same, or longer than the text encoder reads. */
import { byCaptionLine, captionLines } from "../captionLines";
import { withTrigger } from "../trigger";
import { pictures, type Check } from "./types";

/** CLIP reads so many tokens; the trainer cuts the rest off. */
const maxTokens = 75;

/** `red_bicycle-01.png` → "red bicycle"; names of cameras and hashes say nothing. */
export function wordsOfName(name: string): string {
  const stem = (name.split("/").at(-1) ?? "").replace(/\.[^.]*$/, "");
  const words = stem.split(/[\s_\-.,()[\]]+/).filter((word) => /^\p{L}{2,}$/u.test(word));
  const meaningless =
    /^(img|dsc|dscn|dscf|pxl|image|picture|photo|screenshot|pasted|unnamed|copy|final|untitled|wa|mvimg)$/i;
  const meant = words.filter((word) => !meaningless.test(word));
  return meant.length > 0 && meant.join("").length >= 4 ? meant.join(" ") : "";
}

export const missingCaptions: Check = ({ patients, trigger }) => {
  const found = patients.filter(({ caption }) => caption.trim() === "");
  if (found.length === 0) return undefined;
  const treatments = found
    .map(({ id, name }) => ({ id, caption: wordsOfName(name) }))
    .filter(({ caption }) => caption !== "");
  return {
    kind: "missing-captions",
    severity: trigger.trim() ? "warning" : "problem",
    title: pictures(found.length, "has no caption", "have no captions"),
    why: trigger.trim()
      ? `They are trained as "${trigger.trim()}" alone, so everything they show becomes part of that word.`
      : "They are trained on no words at all: the LoRA changes every picture, and nothing calls it up.",
    pictures: found.map(({ id }) => ({ id, detail: "no caption" })),
    action: "caption",
    ...(treatments.length > 0
      ? { fix: { label: `Take ${treatments.length} from the file names`, treatments } }
      : {}),
  };
};

export const identicalCaptions: Check = ({ patients }) => {
  const groups = new Map<string, string[]>();
  for (const { id, caption } of patients) {
    const text = caption.trim().toLowerCase();
    if (text) groups.set(text, [...(groups.get(text) ?? []), id]);
  }
  const repeated = [...groups].filter(([, ids]) => ids.length > 2).sort((a, b) => b[1].length - a[1].length);
  const ids = repeated.flatMap(([, some]) => some);
  // A burst of three with one caption is normal; a third of the dataset is not.
  if (patients.length < 4 || ids.length < patients.length / 3) return undefined;
  return {
    kind: "identical-captions",
    severity: "warning",
    title: pictures(ids.length, "shares its caption with others", "share captions with others"),
    why: `"${repeated[0]?.[0] ?? ""}" is on ${repeated[0]?.[1].length ?? 0} of them. Words that never change are learned as one with everything in the pictures; captions should say what differs.`,
    pictures: ids.map((id) => ({ id, detail: "same caption as others" })),
    action: "caption",
  };
};

/** The longest beginning, cut at a comma, that fits. */
function shortened(caption: string, fits: (text: string) => boolean): string {
  const pieces = caption.split(",");
  while (pieces.length > 1 && !fits(pieces.join(","))) pieces.pop();
  if (fits(pieces.join(","))) return pieces.join(",").trim();
  const words = pieces.join(",").split(" ");
  while (words.length > 1 && !fits(words.join(" "))) words.pop();
  return words.join(" ").trim();
}

export const longCaptions: Check = ({ patients, trigger, countTokens }) => {
  const tokensOfLine = (line: string): number => countTokens(withTrigger(trigger, line));
  const tokens = (caption: string): number => Math.max(...captionLines(caption).map(tokensOfLine));
  const found = patients
    // A token is at least one letter: most captions need no counting.
    .filter(({ caption }) => caption.length + trigger.length > maxTokens)
    .map(({ id, caption }) => ({ id, caption, count: tokens(caption) }))
    .filter(({ count }) => count > maxTokens)
    .sort((a, b) => b.count - a.count);
  if (found.length === 0) return undefined;
  const treatments = found.map(({ id, caption }) => ({
    id,
    caption: byCaptionLine(caption, (line) => shortened(line, (text) => tokensOfLine(text) <= maxTokens)),
  }));
  return {
    kind: "long-captions",
    severity: "warning",
    title: pictures(found.length, "has a caption that is too long", "have captions that are too long"),
    why: `The text encoder reads ${maxTokens} tokens; what comes after is cut off without a word. Put what matters first, or shorten.`,
    pictures: found.map(({ id, count }) => ({ id, detail: `${count} tokens` })),
    fix: { label: "Shorten at the last comma that fits", treatments },
  };
};
