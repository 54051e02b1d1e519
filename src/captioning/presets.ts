/**
 * What a captioner leaves out, and how a caption is put together. What the captions do not mention, the trigger word
 * absorbs: a style's captions must not describe the style, a character's not the character.
 */

import { byCaptionLine } from "../dataset/captionLines";

export type LearnedThing = "style" | "character" | "concept";

/** Kinds of phrases that captioners give; each phrase group belongs to one. */
export type Aspect = "subject" | "look" | "artist" | "quality" | "background" | "person" | "other";

export interface LeaveOut {
  label: string;
  explanation: string;
  aspects: ReadonlySet<Aspect>;
  /** Told to describers that follow instructions. */
  instruction: string;
}

export const leaveOuts: Record<LearnedThing | "prompt", LeaveOut> = {
  style: {
    label: "A style",
    explanation: "Says what is shown, never how: the trigger word takes the look.",
    aspects: new Set<Aspect>(["look", "artist", "quality"]),
    instruction:
      "Do not mention the art style, medium, technique, colours of the rendering, artist or quality. Describe only what is shown.",
  },
  character: {
    label: "A character",
    explanation: "Says pose, clothes that change, place and mood; the trigger word takes the rest.",
    aspects: new Set<Aspect>(["person", "artist", "quality"]),
    instruction:
      "Do not describe the character's face, hair, eyes or body. Describe pose, action, clothing and surroundings.",
  },
  concept: {
    label: "An object or concept",
    explanation: "Says everything around it; the trigger word takes the thing itself.",
    aspects: new Set<Aspect>(["artist", "quality"]),
    instruction:
      "Describe everything that could change between pictures: surroundings, view, light and colours.",
  },
  prompt: {
    label: "Nothing: I want prompts",
    explanation: "Leaves nothing out, as for finding a prompt that gives such a picture.",
    aspects: new Set<Aspect>(),
    instruction: "",
  },
};

/** What to do with a picture that has a caption. */
export type ExistingRule = "skip" | "replace" | "append" | "prepend";

export const existingRules: readonly { value: ExistingRule; label: string }[] = [
  { value: "skip", label: "Leave it" },
  { value: "replace", label: "Replace it" },
  { value: "append", label: "Add behind it" },
  { value: "prepend", label: "Add before it" },
];

const separator = ", ";

function partsOf(caption: string): string[] {
  return caption
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** Words compared as people compare them. */
function plain(text: string): string {
  return text.trim().toLowerCase();
}

/**
 * The new caption of a picture, undefined when it stays as it is.
 *
 * Parts that are there already are not added again. The trigger word, if given, is the first part, once. Of a caption with
 * several lines each gets the addition.
 */
export function combineCaption(
  existing: string,
  added: string,
  rule: ExistingRule,
  trigger: string,
): string | undefined {
  if (rule === "skip" && existing.trim() !== "") return undefined;
  if (rule === "replace") return combineLine([], added, rule, trigger);
  return byCaptionLine(existing, (line) => combineLine(partsOf(line), added, rule, trigger));
}

function combineLine(old: readonly string[], added: string, rule: ExistingRule, trigger: string): string {
  const known = new Set(old.map(plain));
  const fresh = partsOf(added).filter((part) => !known.has(plain(part)));
  const body = rule === "prepend" ? [...fresh, ...old] : [...old, ...fresh];
  return withTrigger(body, trigger.trim()).join(separator);
}

function withTrigger(parts: readonly string[], trigger: string): string[] {
  if (trigger === "") return [...parts];
  return [trigger, ...parts.filter((part) => plain(part) !== plain(trigger))];
}

/**
 * Removes what a sentence says about the look, for describers that cannot be told: "a painting of", "in anime style",
 * "black and white illustration of". Only the usual openings and endings are known; the rest is for the person's eye.
 */
export function withoutLook(sentence: string): string {
  const medium =
    "(?:oil |watercolou?r |digital |pencil |pixel |cartoon |anime |vector |line |3d |black and white |colou?rful |minimalist |stylized |hand[- ]drawn |flat )*" +
    "(?:painting|drawing|illustration|sketch|cartoon|render(?:ing)?|art(?:work)?|photograph|photo|picture|image|print|poster|graphic|icon|emoji|pixel art)";
  const opening = new RegExp(
    `^(?:(?:this|the) (?:image|picture) (?:is|shows|depicts|features) )?(?:an? |the )?${medium} (?:of|showing|depicting|that shows|featuring) `,
    "i",
  );
  const ending =
    /,? (?:in|with) (?:an? |the )?[\w -]{0,30}?(?:style|technique|aesthetic)(?: of [\w .'-]+)?(?=[.,]|$)/gi;
  const rest = sentence.trim().replace(opening, "").replace(ending, "").trim();
  return rest === "" ? sentence.trim() : rest;
}
