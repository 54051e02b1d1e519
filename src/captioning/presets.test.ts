import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineCaption, withoutLook } from "./presets";

describe("a new caption with the old one", () => {
  test.each([
    ["", "a cat", "skip", "", "a cat"],
    ["a dog", "a cat", "skip", "", undefined],
    ["a dog", "a cat", "replace", "", "a cat"],
    ["a dog", "a cat", "append", "", "a dog, a cat"],
    ["a dog", "a cat", "prepend", "", "a cat, a dog"],
    ["a dog, red", "red, a cat", "append", "", "a dog, red, a cat"],
    ["a dog", "a cat", "prepend", "inkwash", "inkwash, a cat, a dog"],
    ["Inkwash, a dog", "a cat", "append", "inkwash", "inkwash, a dog, a cat"],
    ["  ", "a cat", "skip", "inkwash", "inkwash, a cat"],
    ["a dog\na cat", "red, a cat", "append", "ink", "ink, a dog, red, a cat\nink, a cat, red"],
    ["a dog\na cat", "red", "replace", "ink", "ink, red"],
  ] as const)("%s + %s (%s, %s)", (old, added, rule, trigger, expected) =>
    expect(combineCaption(old, added, rule, trigger)).toBe(expected),
  );

  test("adding the same again changes nothing", () => {
    const part = fc.string().map((text) => text.replaceAll(",", " ").trim());
    fc.assert(
      fc.property(part, part, fc.constantFrom("append" as const, "prepend" as const), (old, added, rule) => {
        const once = combineCaption(old, added, rule, "trig") ?? "";
        expect(combineCaption(once, added, rule, "trig")).toBe(once);
        expect(once.split(", ").filter((piece) => piece === "trig")).toHaveLength(1);
      }),
    );
  });
});

test.each([
  ["a painting of a cat on a mat", "a cat on a mat"],
  ["The image is a cartoon illustration of two dogs.", "two dogs."],
  ["a black and white drawing of a house, in the style of van gogh", "a house"],
  ["a cat in anime style, looking up", "a cat, looking up"],
  ["an oil painting", "an oil painting"],
  ["a cat painting a wall", "a cat painting a wall"],
])("the look goes: %s", (sentence, expected) => expect(withoutLook(sentence)).toBe(expected));
