/** Captioners on small models, opened as the worker opens them, on the same ONNX Runtime. */
import { beforeAll, describe, expect, test } from "vitest";
import { floatsToHalf } from "../../src/base/half";
import { openInterrogator } from "../../src/captioning/captioners/interrogator";
import { openMini } from "../../src/captioning/captioners/mini";
import { openTagger } from "../../src/captioning/captioners/tagger";
import { clipModel } from "../../src/captioning/clip/model";
import { rowOf } from "../../src/captioning/clip/vectors";
import { leaveOuts } from "../../src/captioning/presets";
import type { CaptionerContext } from "../../src/captioning/types";
import type { Pixels } from "../../src/dataset/pixels";
import type { ClipTokenizer } from "../../src/formats/tokenizer/clipTokenizer";
import { missing } from "../../src/workers/caption/server";
import { loadClipTokenizer } from "../lib/clipTokenizer";
import { nodeRuntime } from "./nodeRuntime";
import { embedWidth, imageSide, tinyClip } from "./tinyClip";
import { tinyTagger } from "./tinyTagger";

function plain(colour: readonly [number, number, number], width = 80, height = 60): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 3] ?? 0;
  return { data, width, height, channels: 3 };
}

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);

let tokenizer: ClipTokenizer;
beforeAll(async () => {
  tokenizer = await loadClipTokenizer();
});

function context(
  files: Record<string, Uint8Array>,
  lists: Record<string, string[]> = {},
): { context: CaptionerContext; steps: string[]; kept: Map<string, Float32Array> } {
  const steps: string[] = [];
  const kept = new Map<string, Float32Array>();
  const file = (path: string) => {
    const found = files[path];
    return found ? Promise.resolve(new Uint8Array(found)) : Promise.reject(missing(path));
  };
  return {
    steps,
    kept,
    context: {
      runtime: nodeRuntime,
      vectors: {
        get: (key) => Promise.resolve(kept.get(key)),
        put: (key, vectors) => Promise.resolve(void kept.set(key, vectors)),
      },
      device: { gpu: false, f16: false },
      modelKey: "test",
      tokenizer: () => Promise.resolve(tokenizer),
      file,
      hasFile: (path) => Promise.resolve(path in files),
      phrases: (list) => Promise.resolve(lists[list] ?? []),
      onPreparing: ({ stage, done, total }) => void steps.push(`${stage} ${done}/${total}`),
      checkpoint: () => undefined,
    },
  };
}

describe("Mini's captioner", () => {
  const { image, text: words } = tinyClip(7);
  const lists = {
    subjects: ["a cat", "a dog", "a house", "a tree"],
    styles: ["flat style", "glossy style"],
    backgrounds: ["red background", "white background"],
  };
  const rules = {
    ...lists,
    combine: "{subject}, {style}, {background}",
    unsaid: ["white background"],
    leaveOutBelow: { styles: 0, backgrounds: 0 },
  };
  const index = {
    image: { size: imageSide, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    width: embedWidth,
    logitScale: 20,
  };
  const request = { pixels: plain([200, 40, 90]), existing: "" };
  let files: Record<string, Uint8Array>;

  beforeAll(async () => {
    const clip = clipModel({
      image: await nodeRuntime.open(image, "image"),
      text: await nodeRuntime.open(words, "text"),
      tokenizer,
      statistics: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    });
    const features = async (lines: string[]) => {
      const vectors = await clip.textFeatures(lines);
      return lines.map((_, i) => rowOf(vectors, i));
    };
    const captions = await features(lists.subjects.flatMap((a) => lists.styles.map((b) => `${a}, ${b}`)));
    const shifts = [new Float32Array(embedWidth).fill(0.2), new Float32Array(embedWidth)];
    const rows = Float32Array.from([...captions, ...shifts].flatMap((row) => [...row]));
    files = {
      "image.onnx": image,
      "index.json": text(JSON.stringify(index)),
      "phrases.json": text(JSON.stringify(rules)),
      "captions.f16": new Uint8Array(floatsToHalf(rows).buffer),
    };
  });

  test("shares of phrases are those of all captions that hold them", async () => {
    const captioner = await openMini(context(files).context, {}, leaveOuts.prompt);
    const { caption, phrases } = await captioner.caption(request);
    for (const group of ["subjects", "styles", "backgrounds"]) {
      const shares = phrases.filter((phrase) => phrase.group === group).map(({ score }) => score);
      expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10);
      expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    }
    const best = (group: string) => phrases.find((phrase) => phrase.group === group)?.text;
    const parts = [best("subjects"), best("styles"), best("backgrounds")];
    expect(caption).toBe(parts.filter((part) => part !== "white background").join(", "));
  });

  test("a style's captions name no style", async () => {
    const captioner = await openMini(context(files).context, {}, leaveOuts.style);
    const { caption } = await captioner.caption(request);
    expect(caption).not.toContain("style");
    expect(lists.subjects).toContain(caption.split(", ")[0]);
  });

  test("unsure styles and backgrounds are left out", async () => {
    const unsure = { ...rules, leaveOutBelow: { styles: 1.01, backgrounds: 1.01 } };
    const changed = { ...files, "phrases.json": text(JSON.stringify(unsure)) };
    const captioner = await openMini(context(changed).context, {}, leaveOuts.prompt);
    expect(lists.subjects).toContain((await captioner.caption(request)).caption);
  });

  test("features that do not fit the lists are refused", async () => {
    const cut = { ...files, "captions.f16": (files["captions.f16"] ?? image).subarray(2) };
    await expect(openMini(context(cut).context, {}, leaveOuts.prompt)).rejects.toMatchObject({
      code: "bad-captioner",
    });
  });
});

describe("taggers", () => {
  const { model, tags } = tinyTagger();
  const files = { "model.onnx": model, "selected_tags.csv": text(tags) };

  test.each([
    ["red", [210, 20, 20], "red theme, ^_^, weft (mascot)"],
    ["blue", [20, 20, 210], "blue theme, ^_^, weft (mascot)"],
  ] as const)("%s picture, in blue-green-red order", async (_, colour, expected) => {
    const captioner = await openTagger(context(files).context, {}, leaveOuts.style);
    expect((await captioner.caption({ pixels: plain(colour, 64, 64), existing: "" })).caption).toBe(expected);
  });

  test("presets leave out what the trigger word should take", async () => {
    const request = { pixels: plain([20, 210, 20], 64, 64), existing: "" };
    const caption = async (learned: keyof typeof leaveOuts) =>
      (await (await openTagger(context(files).context, {}, leaveOuts[learned])).caption(request)).caption;
    expect(await caption("prompt")).toBe("green theme, ^_^, pixel art, weft (mascot)");
    expect(await caption("style")).toBe("green theme, ^_^, weft (mascot)");
    expect(await caption("character")).toBe("green theme, ^_^, pixel art");
  });

  test("a list of another model is refused", async () => {
    const short = { ...files, "selected_tags.csv": text(tags.split("\n").slice(0, 4).join("\n")) };
    const captioner = await openTagger(context(short).context, {}, leaveOuts.style);
    await expect(captioner.caption({ pixels: plain([1, 2, 3]), existing: "" })).rejects.toThrow(
      "its list has 3 tags",
    );
  });
});

describe("the interrogator", () => {
  const { image, text: words } = tinyClip(4);
  const files = { "image.onnx": image, "text.onnx": words };
  const lists = {
    artists: ["Claude Monet"],
    flavors: ["highly detailed", "bright colors", "dark", "soft"],
    mediums: ["an oil painting"],
    movements: ["cubism", "realism"],
    sites: ["artstation"],
    negative: ["blurry"],
  };
  const request = { pixels: plain([90, 140, 30]), existing: "arafed A Cat" };

  test("never names artists or sites unasked, and embeds each list once", async () => {
    const { context: surroundings, kept, steps } = context(files, lists);
    const captioner = await openInterrogator(surroundings, {}, leaveOuts.prompt);
    const { caption } = await captioner.caption(request);
    expect(caption).toMatch(/^a cat, /);
    expect(caption).not.toMatch(/monet|artstation/i);
    expect(caption).toContain("cubism");
    expect(kept.size).toBe(3);
    const before = steps.filter((step) => step.startsWith("phrases")).length;
    await openInterrogator(surroundings, {}, leaveOuts.prompt);
    expect(steps.filter((step) => step.startsWith("phrases"))).toHaveLength(before);
    const asked = await openInterrogator(surroundings, { artists: true, mode: "classic" }, leaveOuts.prompt);
    expect((await asked.caption(request)).caption).toMatch(
      /^a cat, an oil painting (by|inspired by) Claude Monet, /,
    );
  });

  test("a style's captions keep to the sentence", async () => {
    const describer = {
      caption: () => Promise.resolve({ caption: "A painting of two boats.", phrases: [] }),
      release: () => Promise.resolve(),
    };
    const captioner = await openInterrogator(context(files, lists).context, {}, leaveOuts.style, describer);
    expect((await captioner.caption(request)).caption).toBe("two boats.");
  });

  test.each([
    ["not ONNX at all", text("hello"), "bad-onnx"],
    ["a cut file", image.slice(0, 2000), "bad-onnx"],
    ["an ONNX file of another kind", tinyTagger().model, "not-clip"],
  ])("%s is refused with words", async (_, file, code) => {
    const surroundings = context({ ...files, "image.onnx": file }, lists).context;
    await expect(openInterrogator(surroundings, {}, leaveOuts.prompt)).rejects.toMatchObject({ code });
  });
});
