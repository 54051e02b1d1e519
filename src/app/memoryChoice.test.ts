import { expect, test } from "vitest";
import type { PlannedChoice, StepChoice } from "../workers/engine/api";
import { chooseMemory, type MemoryChoice } from "./memoryChoice";

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

const weights = { f32: 4, f16: 2, q8: 1, q4: 0.5 };

/** Weights, and activations of 1, of which computing twice saves up to 0.75. */
async function plan(choice: StepChoice): Promise<PlannedChoice> {
  const kept = weights[choice.quantisation] + choice.batchSize;
  const total = choice.recompute ? Math.max(kept - 0.75, Math.min(kept, choice.memoryLimit)) : kept;
  const bytes = { weights: 0, activations: 0, scratch: 0, lora: 0, staging: 0, total };
  return { choice, bytes, largestBinding: 0, twice: "none" };
}

function choose(limit: number, change: Partial<StepChoice> = {}, isDecided = false): Promise<MemoryChoice> {
  const fit = ({ bytes }: PlannedChoice) =>
    limit === 0 ? "unknown" : bytes.total <= limit ? "fits" : "too-big";
  return chooseMemory({ present: { ...present, ...change }, isDecided, limit }, { plan, fit });
}

test("everything is kept where that fits, and where nobody knows", async () => {
  for (const limit of [0, 2]) {
    const { planned, keptBytes } = await choose(limit, { recompute: true });
    expect(planned.choice).toMatchObject({ recompute: false, quantisation: "q8" });
    expect(planned.bytes.total).toBe(keptBytes);
  }
});

test("where it does not fit, as much is computed twice as the limit asks for", async () => {
  const { planned, fit, keptBytes } = await choose(1.5);
  expect(planned.choice).toMatchObject({ recompute: true, memoryLimit: 1.5 });
  expect([planned.bytes.total, fit, keptBytes]).toEqual([1.5, "fits", 2]);
});

test("where even that does not fit, the weights that would are named, the most precise first", async () => {
  const tight = await choose(1);
  expect(tight).toMatchObject({
    fit: "too-big",
    smaller: { choice: { quantisation: "q4", recompute: true } },
  });
  const halves = await choose(1.5, { quantisation: "f16" });
  expect(halves.smaller?.choice.quantisation).toBe("q8");
  expect((await choose(0.5)).smaller).toBeUndefined();
  expect((await choose(1, { quantisation: "f32" })).smaller).toBeUndefined();
});

test("what the person decided stays, and is told when it is too much", async () => {
  const { planned, fit } = await choose(1.5, { recompute: false }, true);
  expect([planned.choice.recompute, fit]).toEqual([false, "too-big"]);
  const twice = await choose(4, { recompute: true }, true);
  expect(twice.planned.choice.recompute).toBe(true);
});
