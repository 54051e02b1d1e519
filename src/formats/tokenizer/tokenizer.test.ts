import { beforeAll, describe, expect, test } from "vitest";
import { loadClipTokenizer } from "../../../tools/lib/clipTokenizer";
import { cleanText, fixText } from "./cleanText";
import { CLIP_EOS, type ClipTokenizer } from "./clipTokenizer";
import clip from "./golden/clip.json";
import ftfy from "./golden/ftfy.json";

describe("fixText", () => {
  test.each(ftfy.rows)("repairs $text as ftfy does", ({ text, fixed }) => {
    expect(fixText(text)).toBe(fixed);
  });

  test("half a surrogate pair becomes the replacement character", () => {
    expect(fixText("a\ud800b")).toBe("a\ufffdb");
  });

  test("hostile lengths stay fast", () => {
    const began = performance.now();
    for (const part of ["&amp;", "Ã", "Ã¢", "\u001b[1;", "a", "\n<"]) fixText(part.repeat(20_000));
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

test("cleanText collapses every kind of white space and lowers the case", () => {
  expect(cleanText("  A\u00a0photo\tof\n\n\u3000a CAT ")).toBe("a photo of a cat");
});

describe("CLIP tokenizer", () => {
  let tokenizer: ClipTokenizer;
  beforeAll(async () => {
    tokenizer = await loadClipTokenizer();
  });

  test.each(clip.prompts)("ids of $text", ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.countTokens(text)).toBe(ids.length);
  });

  test.each(clip.padded77)("padded row of $text", ({ text, sd1, sd2 }) => {
    expect(tokenizer.encodePadded(text, CLIP_EOS)).toEqual(sd1);
    expect(tokenizer.encodePadded(text, 0)).toEqual(sd2);
  });

  test.each(clip.long_chunks)("$family chunks of $max_token_length: $text", (row) => {
    const pad = row.family === "sd1" ? CLIP_EOS : 0;
    expect(tokenizer.chunks(row.text, row.max_token_length / 75, pad)).toEqual(row.chunks);
  });

  test("a prompt longer than a row is cut, BOS and EOS stay", () => {
    const row = tokenizer.encodePadded("cat ".repeat(200), 0);
    expect(row).toHaveLength(77);
    expect([row[0], row[75], row[76]]).toEqual([49406, 2368, 49407]);
  });
});
