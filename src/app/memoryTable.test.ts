import { expect, test } from "vitest";
import type { StepChoice } from "../workers/engine/api";
import { alternatives } from "./memoryTable.svelte";

const present: StepChoice = {
  quantisation: "q8",
  resolution: 512,
  batchSize: 1,
  rank: 16,
  trainTextEncoder: false,
  clipSkip: 1,
  recompute: false,
  memoryLimit: 0,
};

test("the present settings come first, nothing comes twice, one thing changes at a time", () => {
  const rows = alternatives(present, 512);
  expect(rows[0]).toEqual({ change: "", choice: present });
  expect(new Set(rows.map(({ choice }) => JSON.stringify(choice))).size).toBe(rows.length);
  for (const { change, choice } of rows) {
    const differing = Object.entries(choice).filter(
      ([key, value]) => present[key as keyof StepChoice] !== value,
    );
    expect(differing.length, change).toBe(change === "" ? 0 : change === "smallest" ? 2 : 1);
  }
});

test("every kind of change that can make a step fit is offered", () => {
  const changes = new Set(alternatives(present, 512).map(({ change }) => change));
  for (const one of ["compute twice", "weights", "batch", "size", "rank", "text encoder", "smallest"])
    expect(changes).toContain(one);
});

test("small models keep their weights", () => {
  expect(
    alternatives({ ...present, quantisation: "f32" }, 64).some(({ change }) => change === "weights"),
  ).toBe(false);
});

test("a step that is computed twice as far as it must can be kept whole or computed twice wholly", () => {
  const partly = { ...present, recompute: true, memoryLimit: 1.5 };
  const choices = alternatives(partly, 512).filter(({ change }) => /twice|keep/.test(change));
  expect(choices.map(({ choice }) => [choice.recompute, choice.memoryLimit])).toEqual([
    [false, 0],
    [true, 0],
  ]);
});
