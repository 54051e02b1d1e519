import { expect, test } from "vitest";
import { smooth, trendWords } from "./smoothing";

test("a constant stays itself from the first step on", () => {
  for (const value of smooth([0.5, 0.5, 0.5])) expect(value).toBeCloseTo(0.5, 12);
});

test("the trend is told in words", () => {
  const falling = Array.from({ length: 60 }, (_, step) => 1 / (1 + step));
  expect(trendWords(smooth(falling))).toBe("falling");
  expect(trendWords(smooth(falling.toReversed()))).toBe("rising");
  expect(trendWords([])).toBe("steady");
});
