import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCaptionText } from "./captionFile";
import { rewriteCaption } from "./captionRewrite";

const utf8 = (text: string): number[] => [...new TextEncoder().encode(text)];
const utf16 = (text: string): number[] =>
  [...text].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]);

describe("rewriting a caption file", () => {
  it.each([
    ["line end", utf8("a cat\r\n"), "a dog", utf8("a dog\r\n")],
    ["no line end", utf8("a cat"), "a dog", utf8("a dog")],
    ["mark", [0xef, 0xbb, 0xbf, ...utf8("a cat\n")], "ä", [0xef, 0xbb, 0xbf, ...utf8("ä\n")]],
    ["other lines", utf8("\n  one\ntwo\n"), "1", utf8("\n1\ntwo\n")],
    ["UTF-16", [0xff, 0xfe, ...utf16("a cat\r\n")], "é", [0xff, 0xfe, ...utf16("é\r\n")]],
    ["Windows-1252", [0x63, 0xe9, 0x0d, 0x0a], "éü", [0xe9, 0xfc, 0x0d, 0x0a]],
    ["Windows-1252 that lacks a letter", [0xe9], "猫", utf8("猫")],
    ["line ends under several lines", utf8("a\r\nb\r\n"), "1\n2\n3", utf8("1\r\n2\r\n3\r\n")],
    ["empty", [], "a cat", utf8("a cat")],
  ])("keeps its %s", (_, before, caption, after) => {
    expect([...rewriteCaption(Uint8Array.from(before), caption)]).toEqual(after);
  });

  it("reads back as the new caption", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom("a dog", "x, y", "日本"),
        (bytes, caption) => {
          const written = rewriteCaption(bytes, caption);
          expect(readCaptionText(written, written.length).caption).toBe(caption);
        },
      ),
    );
  });
});
