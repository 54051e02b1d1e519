/**
 * Mini's captioner: CLIP Interrogator's ranking over three short lists. The text features of the lists come with it,
 * so that the first caption waits for one picture only. See docs/decisions/mini-captioner.md.
 */
import * as v from "valibot";
import { halfToFloats } from "../../base/half";
import { WeftError } from "../../base/errors";
import { clipModel, imageEncoder, type ImageParts } from "../clip/model";
import type { ChannelStatistics } from "../clip/preprocess";
import { embedPhrases } from "../interrogator/embeddings";
import { rankPhrases, type PhraseTable, type Ranked } from "../interrogator/table";
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

async function readJson<S extends v.GenericSchema>(
  context: CaptionerContext,
  path: string,
  schema: S,
): Promise<v.InferOutput<S>> {
  const text = new TextDecoder().decode(await context.file(path));
  const result = v.safeParse(schema, JSON.parse(text));
  if (result.success) return result.output;
  throw new WeftError(
    "bad-captioner",
    `"${path}" of the captioner cannot be used.`,
    "Reload the page; the site may just have been updated.",
  );
}

/** The features that come with the captioner, row by row in the order of the groups; undefined when they do not fit. */
async function shippedTables(
  context: CaptionerContext,
  lists: Record<Group, string[]>,
  width: number,
): Promise<Record<Group, PhraseTable> | undefined> {
  if (!(await context.hasFile("phrases.f16"))) return undefined;
  const bytes = await context.file("phrases.f16");
  const rows = groups.reduce((sum, group) => sum + lists[group].length, 0);
  if (bytes.byteLength !== rows * width * 2) return undefined;
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, rows * width);
  const data = halfToFloats(halves);
  let at = 0;
  const table = (group: Group): PhraseTable => {
    const from = at;
    at += lists[group].length * width;
    return { phrases: lists[group], vectors: { data: data.subarray(from, at), width } };
  };
  return { subjects: table("subjects"), styles: table("styles"), backgrounds: table("backgrounds") };
}

/** The features of lists that came without: the only use of the text side. */
async function withText(
  context: CaptionerContext,
  lists: Record<Group, string[]>,
  parts: ImageParts,
): Promise<Record<Group, PhraseTable>> {
  const text = await context.runtime.open(await context.file("text.onnx"), "text.onnx");
  const clip = clipModel({ ...parts, text, tokenizer: await context.tokenizer() });
  const embed = (group: Group): Promise<PhraseTable> =>
    embedPhrases(clip, lists[group], context, (done) =>
      context.onPreparing({ stage: "phrases", label: group, done, total: lists[group].length }),
    );
  const tables = {
    subjects: await embed("subjects"),
    styles: await embed("styles"),
    backgrounds: await embed("backgrounds"),
  };
  await text.release();
  return tables;
}

/** Share of the best of a ranking, by a softmax over scaled similarities. */
function shareOfBest(ranked: readonly Ranked[], scale: number): number {
  const top = ranked[0]?.similarity ?? 0;
  return 1 / ranked.reduce((sum, { similarity }) => sum + Math.exp(scale * (similarity - top)), 0);
}

export async function openMini(
  context: CaptionerContext,
  stored: unknown,
  leaveOut: LeaveOut,
): Promise<Captioner> {
  const { confidence } = fitSettings(miniFields, stored);
  const [index, rules] = [
    await readJson(context, "index.json", indexSchema),
    await readJson(context, "phrases.json", phrasesSchema),
  ];
  context.onPreparing({ stage: "loading", label: "the captioner", done: 0, total: 0 });
  const image = await context.runtime.open(await context.file("image.onnx"), "image.onnx");
  const statistics: ChannelStatistics = index.image;
  const shipped = await shippedTables(context, rules, index.width);
  const parts = { image, imageSize: index.image.size, statistics };
  const tables = shipped ?? (await withText(context, rules, parts));
  const look = imageEncoder(parts);

  function isSaid(group: Group, ranked: readonly Ranked[]): boolean {
    const [best] = ranked;
    if (!best || leaveOut.aspects.has(aspects[group]) || rules.unsaid.includes(best.text)) return false;
    if (group === "subjects") return true;
    return shareOfBest(ranked, index.logitScale) >= Math.max(confidence, rules.leaveOutBelow[group] ?? 0);
  }

  return {
    caption: async ({ pixels }): Promise<CaptionResult> => {
      const features = await look(pixels);
      let caption = rules.combine;
      const phrases: ScoredPhrase[] = [];
      for (const group of groups) {
        const ranked = rankPhrases(features, tables[group], tables[group].phrases.length);
        const said = isSaid(group, ranked);
        caption = caption.replace(slots[group], said ? (ranked[0]?.text ?? "") : "");
        phrases.push(
          ...ranked.slice(0, shownPerGroup).map((phrase, i) => ({
            group,
            text: phrase.text,
            score: phrase.similarity,
            used: said && i === 0,
          })),
        );
      }
      const parts = caption.split(",").map((part) => part.trim());
      return { caption: parts.filter((part) => part !== "").join(", "), phrases };
    },
    release: () => image.release(),
  };
}
