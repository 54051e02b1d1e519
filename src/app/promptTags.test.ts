import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addLoraTag,
  findLoraTags,
  removeLoraTag,
  safeName,
  setLoraStrength,
  withoutTags,
} from "./promptTags";

test("tags are found with their strengths", () => {
  expect(findLoraTags("a cat <lora:ink:0.8>, red <lora:b>")).toMatchObject([
    { name: "ink", strength: 0.8 },
    { name: "b", strength: 1 },
  ]);
});

test("a slider changes its own tag only", () => {
  const prompt = "a <lora:x:0.5> b <lora:y:0.5>";
  const [, second] = findLoraTags(prompt);
  expect(second && setLoraStrength(prompt, second, 1.25)).toBe("a <lora:x:0.5> b <lora:y:1.25>");
});

test("removing a tag leaves tidy text", () => {
  const prompt = "a cat, <lora:x:1>, blue";
  const [tag] = findLoraTags(prompt);
  expect(tag && removeLoraTag(prompt, tag)).toBe("a cat, blue");
});

test("an added tag is found again, whatever the prompt", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
  fc.assert(
    fc.property(fc.string(), name, (prompt, tag) => {
      const last = findLoraTags(addLoraTag(withoutTags(prompt), tag, 0.8)).at(-1);
      expect(last).toMatchObject({ name: tag, strength: 0.8 });
    }),
  );
});

test("T-F7: names become safe file stems", () => {
  expect(safeName("Müller's ✨ style/../..")).toBe("Muller_s_style");
  expect(safeName("<img onerror=1>")).toBe("img_onerror_1");
});
