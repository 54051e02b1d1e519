/** WD14-style taggers: one ONNX file and its list of tags. */
import { WeftError } from "../../base/errors";
import type { Aspect, LeaveOut } from "../presets";
import { fitSettings, type SettingsOf } from "../settings";
import type { Captioner, CaptionerContext, CaptionResult, OnnxModel, ScoredPhrase } from "../types";
import { parseSelectedTags, parseTagMapping, type Category, type Label } from "../wd14/labels";
import { channelsFirstTaggerInput, taggerInput } from "../wd14/preprocess";
import { chooseTags, type ScoredTag, type TagOptions } from "../wd14/tags";
import { taggerFields } from "./taggerFields";

/** Next best tags that are shown with those chosen. */
const shownRest = 8;

const aspects: Record<Category, Aspect> = {
  rating: "other",
  general: "subject",
  character: "person",
  copyright: "person",
  meta: "look",
  model: "look",
  quality: "quality",
  artist: "artist",
};

/** General tags that name a look; a style's captions leave them out. */
const lookTags =
  /(?:^|_)(?:style|parody|\(medium\)|monochrome|greyscale|grayscale|sketch|lineart|traditional_media|photo|realistic|3d|pixel_art|watercolor|cel_shading|chromatic_aberration|film_grain|halftone|spot_color|limited_palette|flat_color|comic|4koma)(?:_|$)/;
/** General tags that belong to a character's body. */
const personTags =
  /_(?:hair|eyes|skin|ears|tail|horns|wings|bangs|braid|ponytail|twintails)$|^(?:freckles|mole.*|scar.*|tan|dark_skin.*|ahoge|twintails|ponytail)$/;

function aspectOf({ name, category }: Label): Aspect {
  if (category === "general" && lookTags.test(name)) return "look";
  if (category === "general" && personTags.test(name)) return "person";
  return aspects[category];
}

function words(list: string): string[] {
  return list
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function optionsOf(settings: SettingsOf<typeof taggerFields>, leftOut: readonly string[]): TagOptions {
  return {
    ...settings,
    rating: settings.rating === "first" || settings.rating === "last" ? settings.rating : "none",
    undesired: [...words(settings.undesired), ...leftOut],
    alwaysFirst: words(settings.alwaysFirst),
  };
}

async function readLabels(context: CaptionerContext): Promise<Label[]> {
  const text = async (path: string): Promise<string> => new TextDecoder().decode(await context.file(path));
  const [csv, mapping] = ["selected_tags.csv", "tag_mapping.json"];
  // Where there is neither, the usual one is missed.
  const isCsv = (await context.hasFile(csv)) || !(await context.hasFile(mapping));
  return isCsv ? parseSelectedTags(await text(csv)) : parseTagMapping(await text(mapping));
}

/** How a tagger wants its picture, read from its input: channels last with bytes, or channels first with −1…1. */
interface Shape {
  side: number;
  channelsFirst: boolean;
}

const usualSide = 448;
/** A graph that asks for larger pictures is no tagger, or means harm. */
const largestSide = 1024;

function shapeOf(model: OnnxModel): Shape {
  const shape = model.inputs[0]?.shape ?? [];
  const numbers = shape.map((size) => (typeof size === "number" ? size : 0));
  const channelsFirst = numbers[1] === 3;
  const side = (channelsFirst ? numbers[2] : numbers[1]) ?? 0;
  if (shape.length !== 4 || side > largestSide)
    throw new WeftError(
      "not-a-tagger",
      "The model does not take pictures as a tagger does.",
      "Choose the model.onnx of a WD14-style tagger.",
    );
  return { side: side > 0 ? side : usualSide, channelsFirst };
}

function shown({ text, category, probability }: ScoredTag, used: boolean): ScoredPhrase {
  return { group: category, text, score: probability, used };
}

export async function openTagger(
  context: CaptionerContext,
  stored: unknown,
  leaveOut: LeaveOut,
): Promise<Captioner> {
  const labels = await readLabels(context);
  context.onPreparing({ stage: "loading", label: "the tagger", done: 0, total: 0 });
  const model = await context.runtime.open(await context.file("model.onnx"), "model.onnx");
  const { side, channelsFirst } = shapeOf(model);
  const input = model.inputs[0]?.name ?? "input";
  const leftOut = labels.filter((label) => leaveOut.aspects.has(aspectOf(label))).map(({ name }) => name);
  const options = optionsOf(fitSettings(taggerFields, stored), leftOut);
  return {
    caption: async ({ pixels }): Promise<CaptionResult> => {
      const feed = channelsFirst
        ? { data: channelsFirstTaggerInput(pixels, side), dims: [1, 3, side, side] }
        : { data: taggerInput(pixels, side), dims: [1, side, side, 3] };
      const [output] = Object.values(await model.run({ [input]: feed }));
      const values = output?.data ?? new Float32Array();
      if (values.length !== labels.length)
        throw new WeftError(
          "tag-list-mismatch",
          `The tagger gives ${values.length} values, its list has ${labels.length} tags.`,
          "Choose the list that belongs to this model.",
        );
      // Models of the second kind give logits.
      const probabilities = channelsFirst ? values.map((value) => 1 / (1 + Math.exp(-value))) : values;
      const { tags, chosen, rest } = chooseTags(labels, probabilities, options);
      return {
        caption: tags.join(", "),
        phrases: [
          ...chosen.map((tag) => shown(tag, true)),
          ...rest.slice(0, shownRest).map((tag) => shown(tag, false)),
        ],
      };
    },
    release: () => model.release(),
  };
}
