import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCaptionText } from "./captionFile";
import { rewriteCaption } from "./captionRewrite";

const utf8 = (text: string): number[] => [...new TextEncoder().encode(text)];
const utf16 = (text: string, isBigEndian = false): number[] =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)).flatMap((code) =>
    isBigEndian ? [code >> 8, code & 255] : [code & 255, code >> 8],
  );
const read = (bytes: Uint8Array): string => readCaptionText(bytes, bytes.length).caption;

describe("rewriting a caption file", () => {
  it.each([
    ["line end", utf8("a cat\r\n"), "a dog", utf8("a dog\r\n")],
    ["no line end", utf8("a cat"), "a dog", utf8("a dog")],
    ["mark", [0xef, 0xbb, 0xbf, ...utf8("a cat\n")], "ä", [0xef, 0xbb, 0xbf, ...utf8("ä\n")]],
    ["blank lines", utf8("\n  one\r\n\r\ntwo \n"), "1\n2", utf8("\n1\r\n\r\n2\n")],
    ["untouched line to the last space", utf8("\tone \r\ntwo\r\n"), "one\n2", utf8("\tone \r\n2\r\n")],
    ["UTF-16", [0xff, 0xfe, ...utf16("a cat\r\n")], "é", [0xff, 0xfe, ...utf16("é\r\n")]],
    [
      "UTF-16 the other way",
      [0xfe, 0xff, ...utf16("a\r\n", true)],
      "é😀",
      [0xfe, 0xff, ...utf16("é😀\r\n", true)],
    ],
    ["Windows-1252", [0x63, 0xe9, 0x0d, 0x0a], "éü", [0xe9, 0xfc, 0x0d, 0x0a]],
    ["letters that Windows-1252 lacks", [0xe9], "猫", utf8("猫")],
    ["letters that would be UTF-8 in Windows-1252", [0xe9], "Ã©", utf8("Ã©")],
    ["line ends under more lines", utf8("a\r\nb\r\n"), "1\n2\n3", utf8("1\r\n2\r\n3\r\n")],
    ["line ends under fewer lines", utf8("a\rb\rc\r"), "1", utf8("1\r")],
    ["empty", [], "a cat", utf8("a cat")],
  ])("keeps its %s", (_, before, caption, after) => {
    const bytes = Uint8Array.from(before);
    expect([...rewriteCaption(bytes, read(bytes), caption)]).toEqual(after);
  });

  it("leaves the lines that an older version did not read", () => {
    const bytes = Uint8Array.from(utf8("one\ntwo\n"));
    expect([...rewriteCaption(bytes, "one", "1")]).toEqual(utf8("1\ntwo\n"));
  });

  const lines = fc.array(fc.constantFrom("a dog", "x, y", "日本", "Ã©", "(é:1.2)", "😀"), {
    minLength: 1,
    maxLength: 4,
  });
  const files = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(
        fc.constantFrom(
          (text: string) => utf8(text),
          (text: string) => [0xef, 0xbb, 0xbf, ...utf8(text)],
          (text: string) => [0xff, 0xfe, ...utf16(text)],
          (text: string) => [0xfe, 0xff, ...utf16(text, true)],
          (text: string) => [0xe9, ...[...text].map((letter) => letter.charCodeAt(0) & 255)],
        ),
        fc.array(fc.constantFrom("a", " b, c ", "é", "\r\n", "\n", "\r", "\t", ""), { maxLength: 12 }),
      )
      .map(([encode, parts]) => Uint8Array.from(encode(parts.join("")))),
    fc
      .tuple(
        fc.constantFrom([0xff, 0xfe], [0xfe, 0xff], [0xef, 0xbb, 0xbf]),
        fc.uint8Array({ maxLength: 12 }),
      )
      .map(([mark, rest]) => Uint8Array.from([...mark, ...rest])),
  );

  it("reads back as the new caption, whatever the file was", () => {
    fc.assert(
      fc.property(files, lines, (bytes, caption) => {
        const text = caption.join("\n");
        expect(read(rewriteCaption(bytes, read(bytes), text))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives the same bytes for the same caption", () => {
    fc.assert(
      fc.property(files, (bytes) => {
        const before = read(bytes);
        fc.pre(before !== "");
        expect([...rewriteCaption(bytes, before, before)]).toEqual([...bytes]);
      }),
      { numRuns: 2000 },
    );
  });
});
