import fc from "fast-check";
import { expect, test } from "vitest";
import { listOfFile, trendingPhrases } from "./interrogator/lists";
import { parsePhraseList, phraseListText } from "./phraseList";

test("what is written is read back", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (lines) => {
      const phrases = parsePhraseList(lines.join("\n"));
      expect(parsePhraseList(phraseListText(phrases))).toEqual(phrases);
    }),
  );
});

test("any text is a list of clean, different phrases", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const phrases = parsePhraseList(text);
      expect(new Set(phrases).size).toBe(phrases.length);
      for (const phrase of phrases) {
        expect(phrase).toBe(phrase.trim());
        expect(phrase).not.toMatch(/^$|[\n\r\t\0]/);
        expect(phrase.length).toBeLessThanOrEqual(300);
      }
    }),
  );
});

test("line ends, marks, blanks and repeats", () => {
  expect(parsePhraseList("\ufeffred\r\n\r\n blue \rred\ngreen")).toEqual(["red", "blue", "green"]);
});

test("a list of other size is refused", () => {
  const text = Array.from({ length: 200_002 }, (_, i) => i).join("\n");
  expect(() => parsePhraseList(text)).toThrow("200,000");
});

test("files are known by their names in CLIP Interrogator's data folder", () => {
  const names = [
    "data/flavors.txt",
    "Mediums.TXT",
    "negative.txt",
    "artists.top1.txt",
    "trending.txt",
    "notes.txt",
  ];
  expect(names.map(listOfFile)).toEqual(["flavors", "mediums", "negative", "artists", "sites", undefined]);
});

test("sites become four blocks", () => {
  expect(trendingPhrases(["a", "b"])).toEqual([
    ...["a", "b", "trending on a", "trending on b"],
    ...["featured on a", "featured on b", "a contest winner", "b contest winner"],
  ]);
});
