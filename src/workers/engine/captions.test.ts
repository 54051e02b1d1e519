import { expect, test } from "vitest";
import { plainCaptions } from "../../dataset/captionPlan";
import { planCaptions } from "./captions";

const run = { ...plainCaptions, seed: 1, steps: 100, trigger: "ink" };
const texts: string[] = [];
/** Ids that lead back to the text. */
function encode(text: string): number[] {
  if (!texts.includes(text)) texts.push(text);
  return [texts.indexOf(text)];
}
const textOf = (ids: readonly number[] | undefined) => texts[ids?.[0] ?? -1];

test("fixed captions are encoded once each, the empty one first, prefix and suffix in place", () => {
  const { rows, index, at } = planCaptions(
    ["ink, a", "ink, b", "ink, a"],
    { ...run, captionPrefix: "p," },
    encode,
  );
  expect(rows.map(textOf)).toEqual(["", "p, ink, a", "p, ink, b"]);
  expect(index).toEqual([1, 2, 1]);
  expect(at).toBeUndefined();
});

test("changing captions are drawn by step and place, and their still form has nothing random", () => {
  const settings = { ...run, shuffleCaption: true, enableWildcard: true, captionDropout: 0.3 };
  const { rows, index, at } = planCaptions(["ink, {a|b}, c, d\nink, e"], settings, encode);
  expect(textOf(rows[index[0] ?? 0])).toBe("ink, a, c, d");
  const drawn = Array.from({ length: 200 }, (_, step) =>
    textOf(at?.({ example: 0, step, epoch: 1, image: step % 2 })),
  );
  expect(new Set(drawn)).toContain("");
  expect(new Set(drawn)).toContain("ink, e");
  for (const text of drawn) expect(text).toMatch(/^$|^ink, e$|^ink, (?=.*[ab])(?=.*c)(?=.*d)/);
  expect(textOf(at?.({ example: 0, step: 7, epoch: 1, image: 1 }))).toBe(drawn[7]);
});
