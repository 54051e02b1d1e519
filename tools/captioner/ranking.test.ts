/** Issue 6: the interrogator on a CLIP-shaped ONNX pair returns exactly what a float64 reference computes. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { clipModel, type ClipModel } from "../../src/captioning/clip/model";
import { embedPhrases } from "../../src/captioning/interrogator/embeddings";
import {
  chainPhrases,
  similaritiesTo,
  truncateToFit,
  type Sight,
} from "../../src/captioning/interrogator/chain";
import { artistPhrases, trendingPhrases } from "../../src/captioning/interrogator/lists";
import {
  best,
  classic,
  fast,
  negative,
  originalOptions,
  type Tables,
} from "../../src/captioning/interrogator/modes";
import { rankPhrases } from "../../src/captioning/interrogator/table";
import { parsePhraseList } from "../../src/captioning/phraseList";
import { loadClipTokenizer } from "../lib/clipTokenizer";
import { nodeRuntime } from "./nodeRuntime";
import * as reference from "./reference";
import { seeded } from "./seeded";
import { imageSide, tinyClip } from "./tinyClip";

const list = (name: string): string[] =>
  parsePhraseList(readFileSync(new URL(`../../public/phrases/${name}.txt`, import.meta.url), "utf8"));

const phrases = {
  artists: artistPhrases(list("artists")),
  flavors: list("flavors"),
  mediums: list("mediums"),
  movements: list("movements"),
  trendings: trendingPhrases(list("sites")),
};
const merged = Object.values(phrases).flat();

function picture(seed: number): Uint8Array {
  const random = seeded(seed);
  const [r, g, b] = [random.uniform(), random.uniform(), random.uniform()];
  return Uint8Array.from({ length: imageSide ** 2 * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const wave = Math.sin(((pixel % imageSide) * (r + (i % 3))) / 6) + Math.cos((pixel / imageSide) * g);
    return Math.max(0, Math.min(255, 128 + 50 * wave + 60 * (b - 0.5) + 20 * random.normal()));
  });
}

const memory = () => {
  const kept = new Map<string, Float32Array>();
  return {
    get: (key: string) => Promise.resolve(kept.get(key)),
    put: (key: string, vectors: Float32Array) => Promise.resolve(void kept.set(key, vectors)),
  };
};

let clip: ClipModel;
let tables: Required<Tables>;
let text: (line: string) => number[];
let full: (line: string) => boolean;
let weights: ReturnType<typeof tinyClip>;

beforeAll(async () => {
  weights = tinyClip(4);
  const tokenizer = await loadClipTokenizer();
  const [image, words] = [
    await nodeRuntime.open(weights.image, "image"),
    await nodeRuntime.open(weights.text, "text"),
  ];
  clip = clipModel({ image, text: words, tokenizer });
  const surroundings = { vectors: memory(), modelKey: "tiny", checkpoint: () => undefined };
  const embed = (list: readonly string[]) => embedPhrases(clip, list, surroundings, () => undefined);
  tables = {
    artists: await embed(phrases.artists),
    flavors: await embed(phrases.flavors),
    mediums: await embed(phrases.mediums),
    movements: await embed(phrases.movements),
    trendings: await embed(phrases.trendings),
  };
  const known = new Map<string, number[]>();
  text = (line) => {
    const found =
      known.get(line) ??
      reference.referenceTextFeatures(weights.textWeights, tokenizer.encodePadded(line, 0));
    known.set(line, found);
    return found;
  };
  full = (line) => tokenizer.encodePadded(line, 0)[76] !== 0;
}, 60_000);

describe.each([11, 12])("picture %i", (seed) => {
  const rgb = picture(seed);
  let sight: Sight;
  let ref: reference.ReferenceClip;

  beforeAll(async () => {
    const pixels = { data: rgb, width: imageSide, height: imageSide, channels: 3 as const };
    sight = { clip, features: await clip.imageFeatures(pixels) };
    ref = { features: reference.referenceImageFeatures(weights.imageWeights, rgb), text, full };
  });

  test("features agree to f32 precision", () => {
    expect(
      Math.max(...ref.features.map((value, i) => Math.abs(value - (sight.features[i] ?? 0)))),
    ).toBeLessThan(2e-5);
  });

  test.each(Object.keys(phrases) as (keyof typeof phrases)[])("the whole ranking of %s", (table) => {
    const all = phrases[table].length;
    const got = rankPhrases(sight.features, tables[table], all).map((ranked) => ranked.text);
    expect(got).toEqual(reference.referenceRank(ref, phrases[table], all, 2048));
  });

  test("lists longer than a chunk, in both directions", () => {
    for (const reverse of [false, true]) {
      const got = rankPhrases(sight.features, tables.flavors, 24, { chunkSize: 96, reverse }).map(
        (r) => r.text,
      );
      expect(got).toEqual(reference.referenceRank(ref, phrases.flavors, 24, 96, reverse));
    }
  });

  test("modes", async () => {
    const caption = "a small drawing of a cat";
    const options = { ...originalOptions, intermediateCount: 24, minFlavors: 3, maxFlavors: 6 };
    const task = { sight, tables, caption, options };
    const rank = (table: readonly string[], count: number) =>
      reference.referenceRank(ref, table, count, 2048);
    const quick = reference.referenceTruncate(ref, [caption, ...rank(merged, 6)].join(", "));
    expect(fast(task)).toBe(quick);
    const [medium, artist] = [rank(phrases.mediums, 1)[0], rank(phrases.artists, 1)[0]];
    const tail = [rank(phrases.trendings, 1), rank(phrases.movements, 1), rank(phrases.flavors, 3)]
      .flat()
      .join(", ");
    const classical = reference.referenceTruncate(ref, `${caption}, ${medium} ${artist}, ${tail}`);
    expect(classic(task)).toBe(classical);
    expect(classic({ ...task, caption: `${medium} of a cat` })).toBe(
      reference.referenceTruncate(ref, `${medium} of a cat ${artist}, ${tail}`),
    );
    const chained = reference.referenceChain(ref, rank(merged, 24), { start: caption, min: 3, max: 6 });
    const candidates = [caption, classical, quick, chained];
    const scores = candidates.map((line) => reference.referenceSimilarity(ref, line));
    expect(await best(task)).toBe(candidates[scores.indexOf(Math.max(...scores))]);
    expect(
      await chainPhrases(
        sight,
        rank(merged, 24),
        { prompt: "", similarity: 0 },
        { minCount: 1, maxCount: 5 },
      ),
    ).toBe(reference.referenceChain(ref, rank(merged, 24), { min: 1, max: 5 }));
    const negatives = list("negative").slice(0, 12);
    const away = [...reference.referenceRank(ref, phrases.flavors, 24, 2048, true), ...negatives];
    expect(await negative(task, negatives)).toBe(
      reference.referenceChain(ref, away, { max: 6, reverse: true }),
    );
  });

  test("a prompt stops growing when the text encoder is full", async () => {
    const long = Array.from({ length: 9 }, (_, i) =>
      list("flavors")
        .slice(i * 9, i * 9 + 9)
        .join(" "),
    );
    const got = await chainPhrases(sight, long, { prompt: "start", similarity: -1 }, { minCount: 32 });
    expect(got).toBe(reference.referenceChain(ref, long, { start: "start", min: 32 }));
    expect(truncateToFit(long.join(", "), clip.isFull)).toBe(
      reference.referenceTruncate(ref, long.join(", ")),
    );
  });
});

test("similarities come in the order of their texts, whatever the batch", async () => {
  const features = new Float32Array(12).fill(Math.sqrt(1 / 12));
  const lines = list("flavors").slice(0, 70);
  const together = await similaritiesTo({ clip, features }, lines);
  const alone = await Promise.all(
    lines.slice(0, 5).map((line) => similaritiesTo({ clip, features }, [line])),
  );
  alone.flat().forEach((value, i) => expect(value).toBeCloseTo(together[i] ?? 0, 5));
});
