import { expect, test } from "vitest";
import { promptHints } from "./promptHints";
import { findLoraTags } from "./promptTags";

const loras = [{ name: "ink", trigger: "inkwash" }];

function hintsOf(prompt: string): string[] {
  return promptHints(prompt, findLoraTags(prompt), ["ink"], loras);
}

test("a good prompt has no hints", () => {
  expect(hintsOf("inkwash, a fox <lora:ink:0.8>")).toEqual([]);
});

test("unknown names, strong strengths, missing triggers and stacks are told", () => {
  expect(hintsOf("a fox <lora:nope:1>")[0]).toContain("no LoRA named");
  expect(hintsOf("inkwash <lora:ink:1.2>")[0]).toContain("distorted");
  expect(hintsOf("a fox <lora:ink:0.5>")[0]).toContain("inkwash");
  expect(hintsOf("inkwash <lora:ink:0.1><lora:ink:0.1><lora:ink:0.1><lora:ink:0.1>")[0]).toContain(
    "More than three",
  );
});
