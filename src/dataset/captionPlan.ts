/**
 * What becomes of a caption each time its picture is drawn: prefix and suffix, dropout, wildcards, kept and shuffled
 * tags, in the order of sd-scripts' `process_caption`. Random numbers come from outside, so that the trainer, the
 * preview and the tests against Python's generator run the same code.
 */
import { captionLines } from "./captionLines";
import { withTrigger } from "./trigger";

export interface CaptionOptions {
  shuffleCaption: boolean;
  /** Pieces at the front that are neither shuffled nor dropped. */
  keepTokens: number;
  /** Parts the caption into fixed, free and fixed again; empty: off. */
  keepTokensSeparator: string;
  captionSeparator: string;
  /** Written as {@link captionSeparator} at the very end, so that what it joins stays together. */
  secondarySeparator: string;
  /** `{a|b}` and several lines, one of which is chosen. */
  enableWildcard: boolean;
  captionPrefix: string;
  captionSuffix: string;
  /** Share of draws without any caption. */
  captionDropout: number;
  /** Every so many epochs goes without captions; 0: never. */
  captionDropoutEveryNEpochs: number;
  /** Chance of each free piece to be left out. */
  captionTagDropout: number;
  /** Steps during which the number of free pieces grows to all; below 1 a share of the run. */
  tokenWarmupStep: number;
  tokenWarmupMin: number;
}

/** Captions as they are. */
export const plainCaptions: CaptionOptions = {
  shuffleCaption: false,
  keepTokens: 0,
  keepTokensSeparator: "",
  captionSeparator: ",",
  secondarySeparator: "",
  enableWildcard: false,
  captionPrefix: "",
  captionSuffix: "",
  captionDropout: 0,
  captionDropoutEveryNEpochs: 0,
  captionTagDropout: 0,
  tokenWarmupStep: 0,
  tokenWarmupMin: 1,
};

/** When a picture is drawn. */
export interface CaptionMoment {
  /** Steps done before. */
  step: number;
  /** Counted from 1. sd-scripts' loader workers lag behind by a batch; this is the true epoch. */
  epoch: number;
  totalSteps: number;
}

export interface CaptionRandom {
  /** In [0, 1): decides about the whole caption. Asked only when there is a dropout rate. */
  dropout(): number;
  /** In [0, 1). */
  uniform(): number;
  /** A whole number in [0, n). */
  below(n: number): number;
}

/** The caption that options may work on: every line has the trigger word; one line only, unless wildcards are on. */
export function triggeredCaption(trigger: string, caption: string, enableWildcard: boolean): string {
  const lines = captionLines(caption);
  const used = enableWildcard && lines.length > 0 ? lines : [lines[0] ?? ""];
  return withTrigger(trigger, used.join("\n"));
}

/** Whether a caption is the same whenever it is drawn, but for being dropped as a whole by {@link CaptionOptions.captionDropout}. */
export function isFixed(options: CaptionOptions): boolean {
  return !cutsTags(options) && !options.enableWildcard && options.captionDropoutEveryNEpochs <= 0;
}

function cutsTags({ shuffleCaption, tokenWarmupStep, captionTagDropout }: CaptionOptions): boolean {
  return shuffleCaption || tokenWarmupStep > 0 || captionTagDropout > 0;
}

/**
 * The caption of one draw.
 * @param caption as {@link triggeredCaption} gives it
 * @param trigger stays where it is when tags are shuffled or dropped; sd-scripts has none, and asks for `keep_tokens` instead
 */
export function plannedCaption(
  caption: string,
  options: CaptionOptions,
  moment: CaptionMoment,
  random: CaptionRandom,
  trigger = "",
): string {
  const { captionPrefix, captionSuffix, captionSeparator, secondarySeparator } = options;
  let text = caption;
  if (captionPrefix) text = `${captionPrefix} ${text}`;
  if (captionSuffix) text = `${text} ${captionSuffix}`;
  if (isDropped(options, moment, random)) return "";
  text = options.enableWildcard ? resolveWildcards(text, random) : (text.split("\n", 1)[0] ?? "");
  if (cutsTags(options)) text = rearranged(text, options, moment, random, trigger.trim());
  return secondarySeparator ? text.replaceAll(secondarySeparator, captionSeparator) : text;
}

function isDropped(
  { captionDropout, captionDropoutEveryNEpochs: every }: CaptionOptions,
  { epoch }: CaptionMoment,
  random: CaptionRandom,
): boolean {
  if (captionDropout > 0 && random.dropout() < captionDropout) return true;
  return every > 0 && epoch % every === 0;
}

/** Stand in for `{{` and `}}` meanwhile: private-use characters, which captions do not hold. */
const opened = "\uE000";
const closed = "\uE001";

function resolveWildcards(text: string, random: CaptionRandom): string {
  const lines = text.split("\n");
  const line = lines.length > 1 ? (lines[random.below(lines.length)] ?? "") : text;
  return line
    .replaceAll("{{", opened)
    .replaceAll("}}", closed)
    .replace(/\{([^}]+)\}/g, (_, inside: string) => {
      const choices = inside.split("|");
      return choices[random.below(choices.length)] ?? "";
    })
    .replaceAll(opened, "{")
    .replaceAll(closed, "}");
}

interface Parts {
  fixed: string[];
  free: string[];
  fixedEnd: string[];
}

function rearranged(
  text: string,
  options: CaptionOptions,
  moment: CaptionMoment,
  random: CaptionRandom,
  trigger: string,
): string {
  const { fixed, free, fixedEnd } = partsOf(text, options, trigger);
  const flexible = free.slice(0, warmedUp(free.length, options, moment));
  if (options.shuffleCaption) shuffle(flexible, random);
  const { captionTagDropout } = options;
  const kept =
    captionTagDropout > 0 ? flexible.filter(() => random.uniform() >= captionTagDropout) : flexible;
  return [...fixed, ...kept, ...fixedEnd].join(", ");
}

function partsOf(text: string, options: CaptionOptions, trigger: string): Parts {
  const { keepTokensSeparator: bar, captionSeparator, keepTokens } = options;
  const pieces = (part: string) =>
    part
      .trim()
      .split(captionSeparator || ",")
      .map((piece) => piece.trim());
  if (bar && text.includes(bar)) {
    const [first = "", second = "", ...rest] = text.split(bar);
    const filled = (part: string) => pieces(part).filter((piece) => piece !== "");
    return { fixed: filled(first), free: filled(second), fixedEnd: filled(rest.join(bar)) };
  }
  const all = pieces(text);
  const fixed = Math.max(keepTokens, upToTrigger(all, options.captionPrefix, trigger));
  return { fixed: all.slice(0, fixed), free: all.slice(fixed), fixedEnd: [] };
}

/** How many pieces at the front end with the trigger word, when it is where it was put: first, or behind the prefix. */
function upToTrigger(pieces: readonly string[], prefix: string, trigger: string): number {
  if (!trigger) return 0;
  const reach = 1 + (prefix ? prefix.split(",").length : 0);
  const at = pieces.slice(0, reach).findIndex((piece) => piece.toLowerCase().endsWith(trigger.toLowerCase()));
  return at + 1;
}

function warmedUp(
  pieces: number,
  { tokenWarmupStep, tokenWarmupMin }: CaptionOptions,
  { step, totalSteps }: CaptionMoment,
): number {
  const steps = tokenWarmupStep < 1 ? Math.floor(tokenWarmupStep * totalSteps) : tokenWarmupStep;
  if (step >= steps) return pieces;
  return Math.floor((step * (pieces - tokenWarmupMin)) / steps) + tokenWarmupMin;
}

/** In place, as Python's `random.shuffle` does it. */
function shuffle(values: string[], random: CaptionRandom): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const [a, b] = [values[i], values[j]];
    if (a !== undefined && b !== undefined) [values[i], values[j]] = [b, a];
  }
}
