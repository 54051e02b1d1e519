/** CLIP Interrogator on any CLIP-shaped pair of ONNX files. */
import { withoutLook, type Aspect, type LeaveOut } from "../presets";
import { clipModel, type ClipModel } from "../clip/model";
import { embedPhrases } from "../interrogator/embeddings";
import { tableIds, tablePhrases, type ListId, type TableId } from "../interrogator/lists";
import {
  analyze,
  best,
  classic,
  fast,
  negative,
  type InterrogateOptions,
  type Tables,
} from "../interrogator/modes";
import { fitSettings, type SettingsOf } from "../settings";
import type { Captioner, CaptionerContext, CaptionRequest, CaptionResult, ScoredPhrase } from "../types";
import { interrogatorFields } from "./interrogatorFields";

type InterrogatorSettings = SettingsOf<typeof interrogatorFields>;

/** What the phrases of a table speak of. */
const aspects: Record<TableId, Aspect> = {
  artists: "artist",
  flavors: "look",
  mediums: "look",
  movements: "look",
  trendings: "quality",
};

/** Of each table this many are shown with their scores. */
const shownPerTable = 5;

/** BLIP's notorious noise, which people's own captions may still carry. */
const noise = /\b(?:there is )?(?:arafed|araffe|araffes)\b\s*/gi;

function optionsOf(settings: InterrogatorSettings): InterrogateOptions {
  return {
    intermediateCount: settings.intermediate,
    minFlavors: settings.minFlavors,
    maxFlavors: settings.maxFlavors,
    classicFlavors: settings.classicFlavors,
    chunkSize: settings.chunkSize,
  };
}

async function openModel({ runtime, file, tokenizer, onPreparing }: CaptionerContext): Promise<ClipModel> {
  onPreparing({ stage: "loading", label: "the image model", done: 0, total: 0 });
  const image = await runtime.open(await file("image.onnx"), "image.onnx");
  onPreparing({ stage: "loading", label: "the text model", done: 0, total: 0 });
  const text = await runtime.open(await file("text.onnx"), "text.onnx");
  return clipModel({ image, text, tokenizer: await tokenizer() });
}

/** The tables that may be used, embedded. `trendings` and `artists` only when asked for. */
async function openTables(
  context: CaptionerContext,
  clip: ClipModel,
  wanted: readonly TableId[],
): Promise<{ tables: Tables; negatives: readonly string[] }> {
  const lists = new Map<ListId, readonly string[]>();
  for (const id of ["artists", "flavors", "mediums", "movements", "sites", "negative"] as const)
    lists.set(id, await context.phrases(id));
  const phrases = wanted.map((id) => tablePhrases(id, (list) => lists.get(list) ?? []));
  const total = phrases.reduce((sum, list) => sum + list.length, 0);
  const tables: Tables = {};
  let before = 0;
  for (const [i, id] of wanted.entries()) {
    const list = phrases[i] ?? [];
    if (list.length === 0) continue;
    tables[id] = await embedPhrases(clip, list, context, (done) =>
      context.onPreparing({ stage: "phrases", label: "phrases", done: before + done, total }),
    );
    before += list.length;
  }
  return { tables, negatives: lists.get("negative") ?? [] };
}

/** Phrases a table may not contribute, by what the person's preset leaves out and by the switches. */
function wantedTables(settings: InterrogatorSettings, leaveOut: LeaveOut): TableId[] {
  return tableIds.filter(
    (id) =>
      !leaveOut.aspects.has(aspects[id]) &&
      (id !== "artists" || settings.artists) &&
      (id !== "trendings" || settings.trendings),
  );
}

function scored(prompt: string, features: Float32Array, tables: Tables): ScoredPhrase[] {
  const parts = new Set(prompt.split(", "));
  const used = (text: string): boolean =>
    parts.has(text) || [...parts].some((part) => part.endsWith(` ${text}`));
  return Object.entries(analyze(features, tables, shownPerTable)).flatMap(([group, ranked]) =>
    ranked.map(({ text, similarity }) => ({ group, text, score: similarity, used: used(text) })),
  );
}

async function prompt(
  settings: InterrogatorSettings,
  task: Parameters<typeof best>[0],
  negatives: readonly string[],
): Promise<string> {
  switch (settings.mode) {
    case "best":
      return best(task);
    case "classic":
      return classic(task);
    case "negative":
      return negative(task, negatives);
    default:
      return fast(task);
  }
}

/** Opens CLIP, embeds the phrase lists, and takes each sentence from `describer` or from the caption that is there. */
export async function openInterrogator(
  context: CaptionerContext,
  stored: unknown,
  leaveOut: LeaveOut,
  describer?: Captioner,
): Promise<Captioner> {
  const settings = fitSettings(interrogatorFields, stored);
  const clip = await openModel(context);
  const { tables, negatives } = await openTables(context, clip, wantedTables(settings, leaveOut));

  async function sentence(request: CaptionRequest): Promise<string> {
    const text = describer
      ? (await describer.caption(request)).caption
      : settings.useExisting
        ? request.existing
        : "";
    const clean = text.replace(noise, "").toLowerCase().trim();
    return leaveOut.aspects.has("look") && describer ? withoutLook(clean) : clean;
  }

  return {
    caption: async (request): Promise<CaptionResult> => {
      const features = await clip.imageFeatures(request.pixels);
      const sight = { clip, features, checkpoint: () => context.checkpoint() };
      const caption = settings.mode === "negative" ? "" : await sentence(request);
      const text = await prompt(
        settings,
        { sight, tables, caption, options: optionsOf(settings) },
        negatives,
      );
      return { caption: text, phrases: scored(text, features, tables) };
    },
    release: async () => {
      await describer?.release();
      await clip.release();
    },
  };
}
