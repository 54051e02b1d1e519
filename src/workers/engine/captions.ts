/** The captions of a run as token ids: fixed ones once, changing ones whenever they are drawn. */
import {
  isFixed,
  plainCaptions,
  plannedCaption,
  type CaptionMoment,
  type CaptionOptions,
  type CaptionRandom,
} from "../../dataset/captionPlan";
import { captionRandom } from "../../dataset/captionRandom";
import type { TrainerData } from "../../training/trainer";
import type { TrainingSettings } from "./api";

export interface PlannedCaptions {
  /** Distinct ones without anything random; the first is the empty caption. */
  rows: readonly number[][];
  /** Each picture's among them. */
  index: readonly number[];
  at: TrainerData["captionAt"];
}

type CaptionSettings = CaptionOptions & Pick<TrainingSettings, "seed" | "steps" | "trigger">;

const beginning: CaptionMoment = { step: 0, epoch: 1, totalSteps: 1 };

/** First of everything: for captions that are to be the same each time. */
const first: CaptionRandom = { dropout: () => 1, uniform: () => 1, below: () => 0 };

/**
 * @param captions with their trigger words
 * @param encode text → ids, padded
 */
export function planCaptions(
  captions: readonly string[],
  settings: CaptionSettings,
  encode: (text: string) => number[],
): PlannedCaptions {
  const known = new Map<string, number[]>();
  const idsOf = (text: string): number[] => {
    const ids = known.get(text) ?? encode(text);
    // Fixed captions come back; shuffled ones hardly do.
    if (known.size < 10_000) known.set(text, ids);
    return ids;
  };
  const { captionPrefix, captionSuffix, captionSeparator, secondarySeparator, enableWildcard } = settings;
  const still = { captionPrefix, captionSuffix, captionSeparator, secondarySeparator, enableWildcard };
  const texts = captions.map((caption) =>
    plannedCaption(caption, { ...plainCaptions, ...still }, beginning, first),
  );
  const distinct = new Map([...new Set(["", ...texts])].map((text, index) => [text, index]));
  return {
    rows: [...distinct.keys()].map(idsOf),
    index: texts.map((text) => distinct.get(text) ?? 0),
    at: isFixed(settings) ? undefined : (draw) => idsOf(drawnCaption(captions, settings, draw)),
  };
}

/** The text that a step trains a picture with. */
function drawnCaption(
  captions: readonly string[],
  settings: CaptionSettings,
  { example, step, epoch, image }: { example: number; step: number; epoch: number; image: number },
): string {
  return plannedCaption(
    captions[example] ?? "",
    settings,
    { step, epoch, totalSteps: settings.steps },
    captionRandom(settings.seed, step, image),
    settings.trigger,
  );
}
