/** The text a picture is trained with, and captions as the Dataset room edits them. */
import { isFixed, plannedCaption, triggeredCaption, type CaptionOptions } from "../dataset/captionPlan";
import { captionRandom } from "../dataset/captionRandom";

export { captionLines } from "../dataset/captionLines";
export type { BulkEdit } from "../dataset/captionEdit/bulk";
export { diffCaptions } from "../dataset/captionEdit/diff";
export { toggledTag } from "../dataset/captionEdit/query";
export {
  isTagList,
  joinTags,
  moved,
  splitTags,
  suggestTags,
  tagKey,
  tagsBeside,
} from "../dataset/captionEdit/tags";

/** Tokens of a caption that a model of 77 rows reads; the rest is cut off. */
export const tokenLimit = 75;

/** The caption's first line with the trigger word in front, unless it has it already. */
export function finalCaption(trigger: string, caption: string): string {
  return triggeredCaption(trigger, caption, false);
}

/** Distinct examples of what training sees of a caption; one when it is always the same. */
export function trainedCaptions(
  trigger: string,
  caption: string,
  settings: CaptionOptions & { seed: number; steps: number },
  examples = 4,
): string[] {
  const text = triggeredCaption(trigger, caption, settings.enableWildcard);
  const draws = isFixed(settings) && settings.captionDropout === 0 ? 1 : 3 * examples;
  const drawn = Array.from({ length: draws }, (_, i) => {
    // Spread over the run, so that what changes with time is seen.
    const step = Math.floor((i * settings.steps) / draws);
    const moment = { step, epoch: i + 1, totalSteps: settings.steps };
    return plannedCaption(text, settings, moment, captionRandom(settings.seed, step, 0), trigger);
  });
  return [...new Set(drawn)].slice(0, examples);
}
