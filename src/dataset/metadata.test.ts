import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WeftError } from "../base/errors";
import { readDatasetToml, writeDatasetToml } from "./datasetToml";
import { readJsonLines, readMetadataJson } from "./metadata";
import { PathIndex } from "./pathIndex";
import { pathLabel, UniquePaths } from "./uniquePaths";

function thrownBy(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

const isUndefinedOrWords = (error: unknown): boolean => error === undefined || error instanceof WeftError;

describe("metadata", () => {
  it("is read in the hub's and in kohya's shapes", () => {
    const lines = [
      '{"file_name": "a.png", "text": "a cat"}',
      '{"image_path": "/x/b.png", "caption": "a dog", "tags": "brown, big", "image_size": [3, 4]}',
      "not json",
      "[1]",
    ];
    expect(readJsonLines(lines.join("\r\n"))).toEqual({
      entries: [
        { file: "a.png", caption: "a cat" },
        { file: "/x/b.png", caption: "a dog, brown, big" },
      ],
      broken: 2,
    });
    expect(readMetadataJson('{"/x/c": {"tags": "red"}, "d.png": {"caption": ""}}')).toEqual({
      entries: [{ file: "/x/c", caption: "red" }],
      broken: 1,
    });
  });

  it("that is something else is refused with the reason", () => {
    expect(() => readJsonLines("{}\n")).toThrow("no line that names a picture");
    expect(() => readMetadataJson('{"a": 1}')).toThrow("no list of pictures");
    expect(() => readMetadataJson("{")).toThrow("not valid JSON");
  });

  it("T-F5: pollutes nothing and throws only words", () => {
    const hostile = fc.constantFrom(
      '{"__proto__": {"caption": "x"}, "constructor": {"caption": "y"}}',
      "[".repeat(100_000),
      '{"file_name": {"__proto__": 1}, "text": "x"}',
    );
    fc.assert(
      fc.property(fc.oneof(hostile, fc.json(), fc.string()), (content) => {
        for (const read of [readJsonLines, readMetadataJson, readDatasetToml])
          expect(thrownBy(() => read(content))).toSatisfy(isUndefinedOrWords);
        expect(({} as Record<string, unknown>)["caption"]).toBeUndefined();
      }),
    );
  });
});

describe("dataset configs", () => {
  it("look keys up in the subset, the dataset and [general]", () => {
    const config = readDatasetToml(`
      [general]
      shuffle_caption = true
      caption_extension = ".txt"
      num_repeats = 2
      [[datasets]]
      resolution = [512, 768]
      batch_size = 4
        [[datasets.subsets]]
        image_dir = "/x/cats"
        class_tokens = "my cat"
        num_repeats = 10
        [[datasets.subsets]]
        image_dir = 'C:\\x\\dogs'
        keep_tokens = 1
        [[datasets.subsets]]
        image_dir = "reg"
        is_reg = true
    `);
    expect(config).toEqual({
      subsets: [
        { imageDir: "/x/cats", repeats: 10, classTokens: "my cat", captionExtension: "txt" },
        { imageDir: "C:\\x\\dogs", repeats: 2, classTokens: undefined, captionExtension: "txt" },
      ],
      resolution: 627,
      unused: ["batch_size", "is_reg", "keep_tokens", "shuffle_caption"],
    });
  });

  it("of other programs are left alone, broken ones named", () => {
    expect(readDatasetToml('title = "x"')).toBeUndefined();
    expect(() => readDatasetToml("datasets = [")).toThrow("a fault");
    expect(() => readDatasetToml("[[datasets]]\n[[datasets.subsets]]\nnum_repeats = 0")).toThrow(
      "datasets.0.subsets.0.num_repeats",
    );
  });

  it("read back as written", () => {
    const written = {
      imageDir: `img/3_it's "ä" \\ cat`,
      repeats: 3,
      classTokens: 'it\'s "ä"',
      captionExtension: ".txt",
    };
    const text = writeDatasetToml([written], { resolution: 512, minSize: 256, maxSize: 1024, step: 64 });
    expect(readDatasetToml(text)).toMatchObject({
      subsets: [{ ...written, captionExtension: "txt" }],
      resolution: 512,
    });
  });
});

describe("labels", () => {
  it.each([
    ["../../etc/passwd.png", "etc/passwd.png"],
    ["C:\\Users\\me\\a.png", "Users/me/a.png"],
    ["/abs//b.png", "abs/b.png"],
    ["..", "unnamed"],
    ["a\0b.png", "ab.png"],
    ["CON.png", "CON.png"],
    ["\u202egnp.exe", "\u202egnp.exe"],
  ])("of %j is %j", (name, label) => {
    expect(pathLabel(name)).toBe(label);
  });

  it("are each given once", () => {
    const names = new UniquePaths();
    expect(["a.png", "../a.png", "a.png", "x/a", "x/a", ".h", ".h"].map((name) => names.add(name))).toEqual([
      "a.png",
      "a (2).png",
      "a (3).png",
      "x/a",
      "x/a (2)",
      ".h",
      ".h (2)",
    ]);
  });
});

describe("PathIndex", () => {
  const index = new PathIndex(["one/img/a.png", "two/img/a.png", "b.jpg"]);
  it("goes by the end of a path, then by where the metadata lies", () => {
    expect(index.find("/disk/two/img/a.png", "")).toBe("two/img/a.png");
    expect(index.find("img/a.png", "two")).toBe("two/img/a.png");
    expect(index.find("C:\\pics\\b", "")).toBe("b.jpg");
    expect(index.find("c.png", "")).toBeUndefined();
  });
});
