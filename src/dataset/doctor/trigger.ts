/** The trigger word: whether there is one, and captions that say themselves what it should stand for. */
import { byCaptionLine } from "../captionLines";
import { hasTrigger, withTrigger } from "../trigger";
import { pictures, type Check } from "./types";

export const triggerMissing: Check = ({ patients, trigger }) => {
  if (patients.length === 0) return undefined;
  const word = trigger.trim();
  if (!word)
    return {
      kind: "no-trigger",
      severity: "warning",
      title: "There is no trigger word",
      why: "A new word in every caption is what the LoRA ties its look to; in prompts it calls it up. Without one it acts on everything, always. Choose a word that means nothing yet, like inkwash.",
      pictures: [],
      action: "set-trigger",
    };
  const found = patients.filter(({ caption }) => caption.trim() !== "" && !hasTrigger(word, caption));
  // Some captions with the word and some without looks like an oversight; none with it is how most people work.
  if (found.length === 0 || found.length === patients.length) return undefined;
  return {
    kind: "trigger-missing",
    severity: "hint",
    title: pictures(found.length, `lacks "${word}" in its caption`, `lack "${word}" in their captions`),
    why: "Weft puts it in front when it trains. Other trainers do not: write it in before you export.",
    pictures: found.map(({ id, caption }) => ({ id, detail: caption })),
    fix: {
      label: "Write it in front",
      treatments: found.map(({ id, caption }) => ({ id, caption: withTrigger(word, caption) })),
    },
  };
};

const media =
  "oil|acrylic|watercolou?r|gouache|ink|pencil|charcoal|pastel|crayon|digital|pixel|vector|line|concept|fan";
/** Ways of saying how a picture is made rather than what it shows. */
const styleTerms = [
  // "a watercolor painting of a cat" → "a cat"
  `\\b(?:an?|the)?\\s*(?:[\\p{L}-]+\\s+)?(?:painting|drawing|illustration|sketch|render(?:ing)?|print|etching|engraving|woodcut|photo(?:graph)?)\\s+of\\s+`,
  `,?\\s*\\bin\\s+(?:(?:an?|the)\\s+(?:[\\p{L}-]+\\s+){0,2}|(?:[\\p{L}-]+\\s+){1,2})style(?:\\s+of\\s+[\\p{L}\\s.'-]+)?`,
  `,?\\s*\\bin\\s+the\\s+style\\s+of\\s+[\\p{L}\\s.'-]+`,
  `,?\\s*\\b(?:art|painted|drawn|illustrated)\\s+by\\s+[\\p{L}\\s.'-]+`,
  `,?\\s*\\b(?:${media})\\s+(?:painting|drawing|art|style|sketch)\\b`,
  `,?\\s*\\b(?:anime|manga|cartoon|comic|ukiyo-e|impressionist|art nouveau|art deco|cel[- ]shad(?:ed|ing)|low[- ]poly|flat design|chibi)\\s*(?:style|art)?\\b`,
];
const styleWords = new RegExp(styleTerms.join("|"), "giu");

/** A caption without what it says about the way the picture is made. */
export function withoutStyle(caption: string): string {
  return byCaptionLine(caption, (line) => tidied(line.replace(styleWords, " ")));
}

function tidied(line: string): string {
  return line
    .split(",")
    .map((piece) => piece.trim().replace(/\s+/g, " "))
    .filter((piece) => piece !== "")
    .join(", ");
}

export const styleInCaptions: Check = ({ patients, trigger, preset }) => {
  if (preset !== "style") return undefined;
  const found = patients.flatMap(({ id, caption }) => {
    const shorter = withoutStyle(caption);
    const isKept = !trigger.trim() || hasTrigger(trigger, shorter) || !hasTrigger(trigger, caption);
    const normal = byCaptionLine(caption, tidied);
    return shorter !== normal && isKept ? [{ id, caption, shorter }] : [];
  });
  if (found.length === 0) return undefined;
  return {
    kind: "style-in-captions",
    severity: "warning",
    title: pictures(found.length, "says its style in words", "say their style in words"),
    why: "Words that describe the look take it away from the trigger word: the style then comes only when those words are in the prompt too. Say what is shown, not how.",
    pictures: found.map(({ id, caption }) => ({ id, detail: caption })),
    fix: {
      label: "Take the style words out",
      treatments: found.map(({ id, shorter }) => ({ id, caption: shorter })),
    },
  };
};
