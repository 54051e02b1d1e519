import { expect, test } from "vitest";
import { engineIsGone, Recoveries } from "./recovery";

test("T-G2: three recoveries in ten minutes, then a person is asked", () => {
  const recoveries = new Recoveries();
  const minute = 60_000;
  expect([0, 1, 2, 3].map((at) => recoveries.allow(at * minute))).toEqual([true, true, true, false]);
  expect(recoveries.allow(10.5 * minute)).toBe(true);
});

test("a lost GPU empties the engine, a bad setting does not", () => {
  expect(engineIsGone("gpu-lost")).toBe(true);
  expect(engineIsGone("size")).toBe(false);
});
