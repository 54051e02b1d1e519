/**
 * Mini's captioner: the interrogator's eye over every caption of a subject in a style on a background. The captions'
 * text features come with it, so that only the picture is encoded. See docs/decisions/mini-captioner.md.
 */
import * as v from "valibot";
import { halfToFloats } from "../../base/half";
import { WeftError } from "../../base/errors";
import { imageEncoder } from "../clip/model";
import { dot, rowOf, topIndices } from "../clip/vectors";
import type { Aspect, LeaveOut } from "../presets";
import { fitSettings } from "../settings";
import type { Captioner, CaptionerContext, CaptionResult, ScoredPhrase } from "../types";
import { miniFields } from "./miniFields";

const triple = v.tuple([v.number(), v.number(), v.number()]);
const indexSchema = v.object({
  image: v.object({
    size: v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(1024)),
    mean: triple,
    std: triple,
  }),
  width: v.pipe(v.number(), v.integer(), v.minValue(1)),
  logitScale: v.number(),
});
const phraseList = v.pipe(v.array(v.string()), v.maxLength(20_000));
const phrasesSchema = v.object({
  subjects: phraseList,
  styles: phraseList,
  backgrounds: phraseList,
  combine: v.string(),
  unsaid: v.fallback(v.array(v.string()), []),
  leaveOutBelow: v.fallback(v.record(v.string(), v.number()), {}),
});

const groups = ["subjects", "styles", "backgrounds"] as const;
type Group = (typeof groups)[number];

const slots: Record<Group, string> = {
  subjects: "{subject}",
  styles: "{style}",
  backgrounds: "{background}",
};
const aspects: Record<Group, Aspect> = { subjects: "subject", styles: "look", backgrounds: "background" };
const shownPerGroup = 4;

function unusable(path: string): WeftError {
  return new WeftError(
    "bad-captioner",
    `"${path}" of the captioner cannot be used.`,
    "Reload the page; the site may just have been updated.",
  );
}

async function readJson<S extends v.GenericSchema>(
  context: CaptionerContext,
  path: string,
  schema: S,
): Promise<v.InferOutput<S>> {
  const text = new TextDecoder().decode(await context.file(path));
  const result = v.safeParse(schema, JSON.parse(text));
  if (result.success) return result.output;
  throw unusable(path);
}

type Lists = Record<Group, string[]>;

/** Text features of every caption, as a grid: a background moves any caption by the same vector. */
interface CaptionGrid {
  /** [subjects · styles, width], unit rows. */
  captions: Float32Array[];
  /** [backgrounds, width] */
  shifts: Float32Array[];
  /** Length of each caption with each background, [subjects · styles · backgrounds]. */
  lengths: Float64Array;
}

/** @throws WeftError `bad-captioner` when the file has not a row for each caption and background */
async function readGrid(context: CaptionerContext, lists: Lists, width: number): Promise<CaptionGrid> {
  const path = "captions.f16";
  const bytes = await context.file(path);
  const count = lists.subjects.length * lists.styles.length;
  const rows = count + lists.backgrounds.length;
  if (bytes.byteLength !== rows * width * 2) throw unusable(path);
  const data = halfToFloats(new Uint16Array(bytes.buffer, bytes.byteOffset, rows * width));
  const all = Array.from({ length: rows }, (_, row) => rowOf({ data, width }, row));
  const [captions, shifts] = [all.slice(0, count), all.slice(count)];
  const lengths = captions.flatMap((caption) =>
    shifts.map((shift) => Math.sqrt(dot(caption, caption) + 2 * dot(caption, shift) + dot(shift, shift))),
  );
  return { captions, shifts, lengths: Float64Array.from(lengths) };
}

/** Share of every caption with every background: a softmax over their scaled similarities with the picture. */
function captionShares(
  features: Float32Array,
  { captions, shifts, lengths }: CaptionGrid,
  scale: number,
): Float64Array {
  const added = shifts.map((shift) => dot(features, shift));
  const logits = Float64Array.from(
    captions.flatMap((caption) => {
      const similarity = dot(features, caption);
      return added.map((more) => similarity + more);
    }),
  ).map((product, i) => (scale * product) / (lengths[i] ?? 1));
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = logits.map((logit) => Math.exp(logit - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The share of a phrase is that of all captions that hold it. */
function phraseShares(shares: Float64Array, lists: Lists): Record<Group, Float64Array> {
  const [styles, backgrounds] = [lists.styles.length, lists.backgrounds.length];
  const sums: Record<Group, Float64Array> = {
    subjects: new Float64Array(lists.subjects.length),
    styles: new Float64Array(styles),
    backgrounds: new Float64Array(backgrounds),
  };
  shares.forEach((share, i) => {
    const caption = Math.floor(i / backgrounds);
    const add = (group: Group, at: number): void => {
      sums[group][at] = (sums[group][at] ?? 0) + share;
    };
    add("subjects", Math.floor(caption / styles));
    add("styles", caption % styles);
    add("backgrounds", i % backgrounds);
  });
  return sums;
}

export async function openMini(
  context: CaptionerContext,
  stored: unknown,
  leaveOut: LeaveOut,
): Promise<Captioner> {
  const { confidence } = fitSettings(miniFields, stored);
  const index = await readJson(context, "index.json", indexSchema);
  const rules = await readJson(context, "phrases.json", phrasesSchema);
  context.onPreparing({ stage: "loading", label: "the captioner", done: 0, total: 0 });
  const grid = await readGrid(context, rules, index.width);
  const image = await context.runtime.open(await context.file("image.onnx"), "image.onnx");
  const look = imageEncoder({ image, imageSize: index.image.size, statistics: index.image });

  function isSaid(group: Group, text: string, share: number): boolean {
    if (leaveOut.aspects.has(aspects[group]) || rules.unsaid.includes(text)) return false;
    return group === "subjects" || share >= Math.max(confidence, rules.leaveOutBelow[group] ?? 0);
  }

  return {
    caption: async ({ pixels }): Promise<CaptionResult> => {
      const shares = phraseShares(captionShares(await look(pixels), grid, index.logitScale), rules);
      let caption = rules.combine;
      const phrases: ScoredPhrase[] = [];
      for (const group of groups) {
        const best = topIndices(shares[group], shownPerGroup).map((at) => ({
          text: rules[group][at] ?? "",
          score: shares[group][at] ?? 0,
        }));
        const said = best.slice(0, 1).filter(({ text, score }) => isSaid(group, text, score));
        caption = caption.replace(slots[group], said[0]?.text ?? "");
        phrases.push(...best.map((phrase) => ({ group, ...phrase, used: said.includes(phrase) })));
      }
      const parts = caption.split(",").map((part) => part.trim());
      return { caption: parts.filter((part) => part !== "").join(", "), phrases };
    },
    release: () => image.release(),
  };
}
