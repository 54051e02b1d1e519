/** From a tagger's probabilities to the tags of a caption, in the order and spelling of sd-scripts. */
import { cleanTags } from "./cleanTags";
import type { Category, Label } from "./labels";

export interface TagOptions {
  /** Least probability of general tags, and of characters. */
  generalThreshold: number;
  characterThreshold: number;
  /** Let the largest gap between probabilities set the threshold, for general tags and for characters. */
  mcutGeneral: boolean;
  mcutCharacter: boolean;
  /** Spaces instead of underscores, except in faces such as `^_^`. */
  removeUnderscores: boolean;
  rating: "none" | "first" | "last";
  characterFirst: boolean;
  /** `name_(series)` becomes two tags. */
  expandCharacters: boolean;
  /** Most probable first instead of the model's order. */
  sortByProbability: boolean;
  /** Backslashes before brackets, for prompts where brackets mean emphasis. */
  escapeBrackets: boolean;
  /** sd-scripts' cleaning: no details that contradict one another, no noun that a longer tag repeats. */
  clean: boolean;
  /** The most probable so many; 0: all. */
  maxTags: number;
  undesired: readonly string[];
  alwaysFirst: readonly string[];
}

export interface ScoredTag {
  text: string;
  category: Category;
  probability: number;
}

/** Tags that are drawn faces: their underscores are mouths. */
const faces = new Set(
  "0_0 (o)_(o) +_+ +_- ._. <o>_<o> <|>_<|> =_= >_< 3_3 6_9 >_o @_@ ^_^ o_o u_u x_x |_| ||_||".split(" "),
);

/** sd-scripts spares every name of up to three characters; the list has the longer faces. */
export function spaced(name: string): string {
  return name.length <= 3 || faces.has(name) ? name : name.replaceAll("_", " ");
}

/**
 * Maximum cut thresholding: halfway across the largest gap between neighbours when sorted.
 * @returns 0 for fewer than two values.
 */
export function mcutThreshold(probabilities: readonly number[]): number {
  const sorted = [...probabilities].sort((a, b) => b - a);
  let gap = -Infinity;
  let threshold = 0;
  for (let i = 1; i < sorted.length; i++) {
    const [above = 0, below = 0] = [sorted[i - 1], sorted[i]];
    if (above - below > gap) {
      gap = above - below;
      threshold = (above + below) / 2;
    }
  }
  return threshold;
}

/** Characters have a threshold of their own; SmilingWolf never lets its cut fall below this. */
const leastCharacterCut = 0.15;

function thresholds(scored: readonly ScoredTag[], options: TagOptions): (category: Category) => number {
  const values = (wanted: boolean): number[] =>
    scored
      .filter(({ category }) => category !== "rating" && (category === "character") === wanted)
      .map(({ probability }) => probability);
  const general = options.mcutGeneral ? mcutThreshold(values(false)) : options.generalThreshold;
  const character = options.mcutCharacter
    ? Math.max(leastCharacterCut, mcutThreshold(values(true)))
    : options.characterThreshold;
  return (category) => (category === "character" ? character : general);
}

/** The tag as it goes into the caption; a character may become two. */
function spell({ text, category }: ScoredTag, options: TagOptions): string[] {
  const series = /^(.+)_\(([^()]+)\)$/.exec(text);
  const pieces =
    options.expandCharacters && category === "character" && series
      ? [series[1] ?? "", series[2] ?? ""]
      : [text];
  return pieces.map((piece) => {
    const shown = options.removeUnderscores ? spaced(piece) : piece;
    return options.escapeBrackets ? shown.replace(/[\\()]/g, "\\$&") : shown;
  });
}

function ratingOf(scored: readonly ScoredTag[]): ScoredTag | undefined {
  return scored
    .filter(({ category }) => category === "rating")
    .reduce<ScoredTag | undefined>(
      (best, tag) => (best && best.probability >= tag.probability ? best : tag),
      undefined,
    );
}

function same(a: string, b: string): boolean {
  const plain = (text: string): string => text.replaceAll("_", " ").replaceAll("\\", "").trim().toLowerCase();
  return plain(a) === plain(b);
}

function withoutRepeats(tags: readonly string[]): string[] {
  return [...new Set(tags)];
}

/** Moves the named tags to the front one by one, as sd-scripts does: the last one named ends up first. */
function moveFirst(tags: readonly string[], first: readonly string[]): string[] {
  return first.reduce<string[]>(
    (list, name) => {
      const found = list.find((tag) => same(tag, name));
      return found === undefined ? list : [found, ...list.filter((tag) => tag !== found)];
    },
    [...tags],
  );
}

export interface Tagging {
  tags: string[];
  /** What was chosen, most probable first, with the rating. */
  chosen: ScoredTag[];
  rest: ScoredTag[];
}

/** @param probabilities one per label, in the labels' order. */
export function chooseTags(
  labels: readonly Label[],
  probabilities: ArrayLike<number>,
  options: TagOptions,
): Tagging {
  const scored = labels.map(({ name, category }, i) => ({
    text: name,
    category,
    probability: probabilities[i] ?? 0,
  }));
  const threshold = thresholds(scored, options);
  const wanted = (tag: ScoredTag): boolean =>
    tag.category !== "rating" &&
    tag.probability >= threshold(tag.category) &&
    !options.undesired.some((name) => same(name, tag.text));
  const passing = byProbability(scored.filter(wanted)).slice(0, options.maxTags || undefined);
  const kept = new Set(passing);
  const ordered = options.sortByProbability ? passing : scored.filter((tag) => kept.has(tag));
  const ofKind = (character: boolean): string[] =>
    ordered
      .filter(({ category }) => (category === "character") === character)
      .flatMap((tag) => spell(tag, options));
  const [general, character] = [ofKind(false), ofKind(true)];
  // sd-scripts inserts one character after the other at the front, which reverses them.
  let tags = options.characterFirst ? [...character.reverse(), ...general] : [...general, ...character];
  if (options.clean) tags = cleanTags(tags);
  const rating = options.rating === "none" ? undefined : ratingOf(scored);
  const ratingTag = rating ? spell(rating, options) : [];
  tags = options.rating === "last" ? [...tags, ...ratingTag] : [...ratingTag, ...tags];
  return {
    tags: moveFirst(withoutRepeats(tags), options.alwaysFirst),
    chosen: [...(rating ? [rating] : []), ...passing],
    rest: byProbability(scored.filter((tag) => !kept.has(tag) && tag !== rating)),
  };
}

function byProbability(tags: readonly ScoredTag[]): ScoredTag[] {
  return tags.toSorted((a, b) => b.probability - a.probability);
}
