import fc from "fast-check";
import Papa from "papaparse";
import { describe, expect, test } from "vitest";
import { WeftError } from "../../base/errors";
import { cleanTags } from "./cleanTags";
import { parseSelectedTags, parseTagMapping, type Label } from "./labels";
import { chooseTags, mcutThreshold, spaced, type TagOptions } from "./tags";

const labels: Label[] = [
  { name: "general", category: "rating" },
  { name: "explicit", category: "rating" },
  { name: "1girl", category: "general" },
  { name: "long_hair", category: "general" },
  { name: "^_^", category: "general" },
  { name: "<|>_<|>", category: "general" },
  { name: "hat_(costume)", category: "general" },
  { name: "saber_(fate)", category: "character" },
  { name: "rin_(fate)", category: "character" },
];
const probabilities = [0.9, 0.1, 0.4, 0.99, 0.5, 0.6, 0.34, 0.9, 0.95];

const options: TagOptions = {
  generalThreshold: 0.35,
  characterThreshold: 0.85,
  mcutGeneral: false,
  mcutCharacter: false,
  removeUnderscores: true,
  rating: "none",
  characterFirst: false,
  expandCharacters: false,
  sortByProbability: false,
  escapeBrackets: false,
  clean: false,
  maxTags: 0,
  undesired: [],
  alwaysFirst: [],
};

const choose = (change: Partial<TagOptions> = {}): string =>
  chooseTags(labels, probabilities, { ...options, ...change }).tags.join(", ");

describe("tags of a picture", () => {
  test.each<[string, Partial<TagOptions>, string]>([
    ["the model's order, characters last", {}, "1girl, long hair, ^_^, <|>_<|>, saber (fate), rin (fate)"],
    ["underscores", { removeUnderscores: false }, "1girl, long_hair, ^_^, <|>_<|>, saber_(fate), rin_(fate)"],
    ["by probability", { sortByProbability: true, characterThreshold: 1 }, "long hair, <|>_<|>, ^_^, 1girl"],
    [
      "characters first, reversed",
      { characterFirst: true, generalThreshold: 0.9 },
      "rin (fate), saber (fate), long hair",
    ],
    ["characters in two", { expandCharacters: true, generalThreshold: 0.98 }, "long hair, saber, fate, rin"],
    [
      "rating first",
      { rating: "first", generalThreshold: 0.98, characterThreshold: 1 },
      "general, long hair",
    ],
    ["rating last", { rating: "last", generalThreshold: 0.98, characterThreshold: 1 }, "long hair, general"],
    [
      "undesired, however spelled",
      { undesired: ["long hair", "Saber_(fate)"] },
      "1girl, ^_^, <|>_<|>, rin (fate)",
    ],
    [
      "always first, the last named first",
      { alwaysFirst: ["1girl", "^_^"], characterThreshold: 1 },
      "^_^, 1girl, long hair, <|>_<|>",
    ],
    [
      "escaped",
      { escapeBrackets: true, generalThreshold: 0.98 },
      String.raw`long hair, saber \(fate\), rin \(fate\)`,
    ],
    ["the most probable so many", { maxTags: 2 }, "long hair, rin (fate)"],
    ["the largest gap", { mcutGeneral: true, characterThreshold: 1 }, "long hair"],
  ])("%s", (_, change, expected) => expect(choose(change)).toBe(expected));

  test("names of up to three characters and faces keep their underscores", () => {
    expect(["^_^", "a_b", "o_o", "(o)_(o)", "||_||", "ab_c"].map(spaced)).toEqual([
      "^_^",
      "a_b",
      "o_o",
      "(o)_(o)",
      "||_||",
      "ab c",
    ]);
  });

  test("the cut lies in the largest gap", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2 }), (values) => {
        const cut = mcutThreshold(values);
        const above = values.filter((value) => value > cut);
        const below = values.filter((value) => value <= cut);
        const gap = above.length > 0 ? Math.min(...above) - Math.max(...below) : 0;
        const sorted = values.toSorted((a, b) => a - b);
        expect(gap).toBeCloseTo(Math.max(...sorted.slice(1).map((value, i) => value - (sorted[i] ?? 0))), 12);
      }),
    );
  });
});

// Expected values: sd-scripts' clean_captions_and_tags.py run on the same tags.
describe("cleaning", () => {
  test.each([
    ["shirt, white shirt, hat", "white shirt, hat"],
    ["1girl, long hair, red hair, blue hair", "1girl, long hair, red hair, blue hair"],
    ["2girls, long hair, red hair, blue hair, hat", "2girls, long hair, hat"],
    ["2girls, long hair, short hair, red hair", "2girls, red hair"],
    ["2boys, blue eyes, red eyes, bob cut, long sleeves", "2boys, bob cut, long sleeves"],
    ["multiple girls, ponytail, side braid, ahoge, smile", "multiple girls, smile"],
    ["hair ornament, star hair ornament, star", "star hair ornament, star"],
    ["shirt, t-shirt", "shirt, t-shirt"],
    ["dress, dress shirt", "dress, dress shirt"],
  ])("%s", (tags, expected) => expect(cleanTags(tags.split(", ")).join(", ")).toBe(expected));
});

/** What `work` gives; true when it refuses with words for people. */
function outcome(work: () => boolean): unknown {
  try {
    return work();
  } catch (error) {
    return error instanceof WeftError && error.code === "bad-tag-list" ? true : error;
  }
}

describe("lists of tags", () => {
  test("every row is a label, in order, whatever is in the names", () => {
    const cell = fc
      .string()
      .filter((text) => text.trim() !== "" && !/\p{Cc}|\ufeff/u.test(text) && text.length < 100);
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, fc.constantFrom("0", "4", "9")), { minLength: 1 }), (rows) => {
        const csv = Papa.unparse([
          ["tag_id", "name", "category", "count"],
          ...rows.map(([name, category], i) => [i, name, category, 1]),
        ]);
        const parsed = parseSelectedTags(csv);
        expect(parsed.map(({ name }) => name)).toEqual(rows.map(([name]) => name.trim()));
        const kinds: Record<string, string> = { "0": "general", "4": "character", "9": "rating" };
        expect(parsed.map(({ category }) => category)).toEqual(rows.map(([, category]) => kinds[category]));
      }),
    );
  });

  test("anything else is refused with words, never with a crash", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        for (const parse of [parseSelectedTags, parseTagMapping])
          expect(outcome(() => parse(text).length > 0)).toBe(true);
      }),
    );
  });

  test("a mapping is read by its numbers", () => {
    const mapping = { "1": { tag: "b", category: "Character" }, "0": { tag: "a", category: "General" } };
    expect(parseTagMapping(JSON.stringify(mapping))).toEqual([
      { name: "a", category: "general" },
      { name: "b", category: "character" },
    ]);
    expect(() => parseTagMapping(`{"1": {"tag": "a", "category": "General"}}`)).toThrow("0, 1, 2");
  });
});
