import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrangePaths } from "./arrangePaths";
import { captionPaths, readCaptionText } from "./captionFile";
import { readFolderName } from "./folderName";
import { compositeOn, cropPixels } from "./pixels";

describe("folder names", () => {
  it.each([
    ["10_sks dog", { repeats: 10, classTokens: "sks dog" }],
    ["10", { repeats: 10, classTokens: "" }],
    [" +3_a_b", { repeats: 3, classTokens: "a_b" }],
    ["0_none", { repeats: 0, classTokens: "none" }],
    ["-1_none", { repeats: -1, classTokens: "none" }],
    ["1.5_x", undefined],
    ["cats_10", undefined],
    ["", undefined],
  ])("reads %j", (name, expected) => {
    expect(readFolderName(name)).toEqual(expected);
  });
});

describe("caption files", () => {
  const read = (...parts: (string | number[])[]) => {
    const bytes = parts.flatMap((part) =>
      typeof part === "string" ? [...new TextEncoder().encode(part)] : part,
    );
    return readCaptionText(Uint8Array.from(bytes), bytes.length);
  };

  it("are looked for under the picture's name, and without a face's numbers", () => {
    expect(captionPaths("a/b.c.png", "txt")).toEqual(["a/b.c.txt"]);
    expect(captionPaths("a/me_10_20_30_40.png", ".caption")).toEqual([
      "a/me_10_20_30_40.caption",
      "a/me.caption",
    ]);
  });

  it("give their lines, cleaned, and say which are trained", () => {
    expect(read([0xef, 0xbb, 0xbf], "a cat,\u0000 red \r\n\r\nsecond\n")).toEqual({
      caption: "a cat,  red\nsecond",
      notes: [expect.stringMatching(/only the first is trained, unless wildcards/)],
    });
    expect(read("<img onerror=x>\n")).toEqual({ caption: "<img onerror=x>", notes: [] });
    expect(read("")).toEqual({ caption: "", notes: [] });
    expect(read(" \n\t\n")).toEqual({ caption: "", notes: [] });
  });

  it("may start with a blank line, which is told", () => {
    expect(read("\nlate")).toMatchObject({ caption: "late", notes: [expect.stringContaining("blank line")] });
  });

  it("may be UTF-16 with a mark, or Windows-1252 with a warning", () => {
    expect(read([0xff, 0xfe, 0x61, 0x00, 0xe9, 0x00])).toEqual({ caption: "aé", notes: [] });
    expect(read([0xfe, 0xff, 0x00, 0x61, 0x00, 0xe9])).toEqual({ caption: "aé", notes: [] });
    expect(read([0x61, 0xe9])).toMatchObject({
      caption: "aé",
      notes: [expect.stringContaining("not UTF-8")],
    });
  });

  it("are cut without harming their encoding", () => {
    const bytes = new TextEncoder().encode("short\né");
    expect(readCaptionText(bytes.subarray(0, bytes.length - 1), 9000).caption).toBe("short");
    const lines = new TextEncoder().encode("whole\ncut in tw");
    expect(readCaptionText(lines, 9000).caption).toBe("whole");
    const long = new TextEncoder().encode("é".repeat(8));
    expect(readCaptionText(long.subarray(0, 15), 16)).toEqual({
      caption: "é".repeat(7),
      notes: [expect.stringContaining("longer than a caption")],
    });
  });

  it("never throw and never keep control characters", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(100), (bytes, more) => {
        const { caption } = readCaptionText(bytes, bytes.length + more);
        expect(caption.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe("arrangePaths", () => {
  it("finds captions in any folder, by name, whatever the case of letters", () => {
    const { pictures, refused } = arrangePaths([
      "a/cat.png",
      "a/cat.TXT",
      "b/cat.png",
      "dog.v2.jpg",
      "dog.v2.caption",
    ]);
    expect(pictures.map(({ path, captionPaths: found }) => [path, found])).toEqual([
      ["a/cat.png", ["a/cat.TXT"]],
      ["b/cat.png", []],
      ["dog.v2.jpg", ["dog.v2.caption"]],
    ]);
    expect(refused).toEqual([]);
  });

  it("puts .txt before other endings and keeps those", () => {
    const { pictures, refused } = arrangePaths(["c.png", "c.tags", "c.caption", "c.txt"]);
    expect(pictures[0]?.captionPaths).toEqual(["c.txt", "c.caption", "c.tags"]);
    expect(refused).toEqual([]);
  });

  it("shares a caption between pictures of one name, and lists one that differs in case only", () => {
    const { pictures, refused } = arrangePaths(["c.png", "c.jpg", "c.txt", "c.TXT"]);
    expect(pictures.map(({ captionPaths: found }) => found)).toEqual([["c.txt"], ["c.TXT"]]);
    expect(refused).toEqual([]);
  });

  it("takes repeats and class tokens from the folder", () => {
    expect(arrangePaths(["img/10_ink style /a.png"]).pictures).toEqual([
      {
        path: "img/10_ink style /a.png",
        captionPaths: [],
        repeats: 10,
        classTokens: "ink style",
        metadataCaption: "",
      },
    ]);
    expect(arrangePaths(["2024_holiday.png"]).pictures[0]?.repeats).toBe(1);
  });

  it("believes a config before a folder's name, and finds its folders by the ends of their paths", () => {
    const subset = { repeats: 3, classTokens: "my cat", captionExtension: "words" };
    const { pictures } = arrangePaths(["set/cats/a.png", "set/cats/a.words", "set/2_dogs/b.png"], {
      metadata: [],
      configs: [
        {
          path: "set/dataset.toml",
          subsets: [
            { ...subset, imageDir: "D:\\train\\cats" },
            { ...subset, imageDir: "/home/me/cats", repeats: 9 },
          ],
        },
      ],
    });
    expect(
      pictures.map(({ repeats, classTokens, captionPaths: found }) => [repeats, classTokens, found]),
    ).toEqual([
      [3, "my cat", ["set/cats/a.words"]],
      [2, "dogs", []],
    ]);
  });

  it("gives metadata's captions to the pictures they mean", () => {
    const metadata = [
      {
        path: "two/metadata.jsonl",
        entries: [
          { file: "a.png", caption: "second a" },
          { file: "/mnt/x/one/a.png", caption: "first a" },
          { file: "none.png", caption: "lost" },
        ],
      },
    ];
    const { pictures } = arrangePaths(["one/a.png", "two/a.png"], { metadata, configs: [] });
    expect(pictures.map(({ metadataCaption }) => metadataCaption)).toEqual(["first a", "second a"]);
  });

  it("refuses by name, leaves litter out and lets the rest through", () => {
    const paths = [
      "lost.txt",
      ".DS_Store",
      "__MACOSX/cat.png",
      "x/Thumbs.db",
      "cat_sd.npz",
      "0_off/a.png",
      "99999_x/a.png",
      "b.png",
    ];
    const { pictures, refused } = arrangePaths(paths);
    expect(pictures.map(({ path }) => path)).toEqual(["b.png"]);
    expect(refused.map(({ path, error }) => [path, error.code])).toEqual([
      ["0_off/a.png", "no-repeats"],
      ["99999_x/a.png", "too-many-repeats"],
      ["lost.txt", "no-picture"],
    ]);
  });

  it("is not fooled by names of object properties", () => {
    expect(arrangePaths(["__proto__", "constructor.txt"]).pictures.map(({ path }) => path)).toEqual([
      "__proto__",
    ]);
  });
});

describe("pixels", () => {
  it("lie over a colour by their alpha", () => {
    const data = Uint8Array.of(10, 20, 30, 0, 10, 20, 30, 255, 0, 0, 0, 128);
    const { data: out, channels } = compositeOn({ data, width: 3, height: 1, channels: 4 }, [255, 255, 255]);
    expect(channels).toBe(3);
    expect([...out]).toEqual([255, 255, 255, 10, 20, 30, 127, 127, 127]);
  });

  it("are cut out row by row", () => {
    const data = Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => i);
    const { data: out } = cropPixels({ data, width: 4, height: 3, channels: 3 }, 1, 1, 2, 2);
    expect([...out]).toEqual([15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32]);
  });
});
