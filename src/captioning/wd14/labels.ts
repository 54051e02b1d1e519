/** The labels of a tagger: what each of its outputs means. */
import Papa from "papaparse";
import * as v from "valibot";
import { WeftError } from "../../base/errors";

export const categories = [
  "rating",
  "general",
  "character",
  "copyright",
  "meta",
  "model",
  "quality",
  "artist",
] as const;
export type Category = (typeof categories)[number];

export interface Label {
  /** As the model names it, with underscores. */
  name: string;
  category: Category;
}

/** Of `selected_tags.csv`; other numbers are general tags of some kind. */
const csvCategories: Record<string, Category> = {
  "9": "rating",
  "4": "character",
  "3": "copyright",
  "5": "meta",
  "1": "artist",
};

const mostLabels = 100_000;
const longestName = 200;

function bad(why: string): WeftError {
  return new WeftError(
    "bad-tag-list",
    `The tagger's list of tags cannot be used: ${why}.`,
    "Choose the selected_tags.csv (or tag_mapping.json) that belongs to the model.",
  );
}

function checkCount(count: number): void {
  if (count === 0) throw bad("it holds no tags");
  if (count > mostLabels) throw bad(`it holds more than ${mostLabels.toLocaleString("en")} tags`);
}

function cleanName(name: string): string {
  return name
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, longestName);
}

/**
 * `selected_tags.csv`: a header with `name` and `category`, one row per output of the model, in its order.
 * @throws WeftError `bad-tag-list`
 */
export function parseSelectedTags(text: string): Label[] {
  const { data } = Papa.parse<string[]>(text.replace(/^\ufeff/, ""), { skipEmptyLines: "greedy" });
  const [header = [], ...rows] = data;
  const nameAt = header.findIndex((cell) => cell.trim() === "name");
  const categoryAt = header.findIndex((cell) => cell.trim() === "category");
  if (nameAt < 0 || categoryAt < 0) throw bad("its first line does not name the columns name and category");
  checkCount(rows.length);
  return rows.map((row) => ({
    name: cleanName(row[nameAt] ?? ""),
    category: csvCategories[row[categoryAt]?.trim() ?? ""] ?? "general",
  }));
}

const mappingSchema = v.record(v.string(), v.object({ tag: v.string(), category: v.string() }));

/**
 * `tag_mapping.json`: `{"0": {"tag": …, "category": "General"}, …}`, keys being the model's outputs.
 * @throws WeftError `bad-tag-list`
 */
export function parseTagMapping(text: string): Label[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad("it is not JSON");
  }
  const result = v.safeParse(mappingSchema, json);
  if (!result.success) throw bad("its entries need a tag and a category");
  const entries = Object.entries(result.output).map(([key, entry]) => ({ index: Number(key), entry }));
  checkCount(entries.length);
  entries.sort((a, b) => a.index - b.index);
  if (entries.some(({ index }, i) => index !== i)) throw bad("its keys are not 0, 1, 2 …");
  return entries.map(({ entry }) => ({
    name: cleanName(entry.tag),
    category: categories.find((category) => category === entry.category.toLowerCase()) ?? "general",
  }));
}
