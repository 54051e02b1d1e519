/** CLIP Interrogator's four modes: how ranked phrases become a prompt. */
import { chainPhrases, similaritiesTo, topText, truncateToFit, type Sight } from "./chain";
import type { TableId } from "./lists";
import { mergeTables, rankPhrases, type PhraseTable, type Ranked } from "./table";

export interface InterrogateOptions {
  /** Candidates for the chain. */
  intermediateCount: number;
  minFlavors: number;
  maxFlavors: number;
  /** Flavors in `classic`. */
  classicFlavors: number;
  chunkSize: number;
}

/** As CLIP Interrogator has them. In a browser 256 to 512 candidates make `best` bearable. */
export const originalOptions: InterrogateOptions = {
  intermediateCount: 2048,
  minFlavors: 8,
  maxFlavors: 32,
  classicFlavors: 3,
  chunkSize: 2048,
};

/** Tables that the person's preset leaves out are absent. */
export type Tables = Partial<Record<TableId, PhraseTable>>;

interface Task {
  sight: Sight;
  tables: Tables;
  /** The sentence of a describer, lower case; may be empty. */
  caption: string;
  options: InterrogateOptions;
}

const mergeOrder: readonly TableId[] = ["artists", "flavors", "mediums", "movements", "trendings"];

/** Every table in one, in CLIP Interrogator's order. */
export function mergedTable(tables: Tables): PhraseTable {
  return mergeTables(mergeOrder.map((id) => tables[id]).filter((table) => table !== undefined));
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

function top({ sight, tables, options }: Task, table: TableId, count = 1): string[] {
  const found = tables[table];
  return found ? rankPhrases(sight.features, found, count, options).map(({ text }) => text) : [];
}

/** The sentence, medium and artist, trending, movement, and the best flavors. */
export function classic(task: Task): string {
  const { caption, options, sight } = task;
  const [medium = ""] = top(task, "mediums");
  const [artist = ""] = top(task, "artists");
  const lead =
    medium !== "" && caption.startsWith(medium) ? [caption, artist] : [joined(caption, medium), artist];
  const rest = [
    ...top(task, "trendings"),
    ...top(task, "movements"),
    ...top(task, "flavors", options.classicFlavors),
  ];
  const first = lead.filter((part) => part !== "").join(medium === "" ? ", " : " ");
  return truncateToFit(joined(first, ...rest), sight.clip.isFull);
}

/** The sentence and the best phrases of all tables together. */
export function fast({ sight, tables, caption, options }: Task): string {
  const best = rankPhrases(sight.features, mergedTable(tables), options.maxFlavors, options);
  return truncateToFit(joined(caption, ...best.map(({ text }) => text)), sight.clip.isFull);
}

/** The most similar of the sentence, `classic`, `fast` and a chain of phrases. */
export async function best(task: Task): Promise<string> {
  const { sight, caption, options } = task;
  const ranked = rankPhrases(sight.features, mergedTable(task.tables), options.intermediateCount, options);
  const [similarity = 0] = await similaritiesTo(sight, [caption]);
  const chained = await chainPhrases(
    sight,
    ranked.map(({ text }) => text),
    { prompt: caption, similarity },
    { minCount: options.minFlavors, maxCount: options.maxFlavors },
  );
  return topText(
    sight,
    [caption, classic(task), fast(task), chained].filter((text) => text !== ""),
  );
}

/** Phrases that fit the picture least, for negative prompts. */
export async function negative(
  { sight, tables, options }: Task,
  negatives: readonly string[],
): Promise<string> {
  const flavors = tables.flavors;
  const ranked = flavors
    ? rankPhrases(sight.features, flavors, options.intermediateCount, { ...options, reverse: true })
    : [];
  const phrases = [...ranked.map(({ text }) => text), ...negatives];
  return chainPhrases(
    sight,
    phrases,
    { prompt: "", similarity: 0 },
    { maxCount: options.maxFlavors, reverse: true },
  );
}

/** The best of each table with their similarities: what the original shows as "Analyze". */
export function analyze(
  features: Float32Array,
  tables: Tables,
  count = 5,
): Partial<Record<TableId, Ranked[]>> {
  const entries = Object.entries(tables).map(([id, table]) => [id, rankPhrases(features, table, count)]);
  return Object.fromEntries(entries) as Partial<Record<TableId, Ranked[]>>;
}
