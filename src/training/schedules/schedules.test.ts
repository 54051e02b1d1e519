import { describe, expect, it } from "vitest";
import { learningRateAt, lrSchedules } from "./index";
import { lrScheduleMeta } from "./meta";
import type { LrScheduleName } from "./meta";

const run = { lr: 1e-4, totalSteps: 1000, warmupSteps: 100 };

// Values of the reference implementation for these settings.
const golden: [LrScheduleName, object, Record<number, number>][] = [
  ["linear", {}, { 0: 0, 50: 0.5, 100: 1, 101: 0.998889, 550: 0.5, 775: 0.25, 999: 0.001111, 1000: 0 }],
  ["cosine", {}, { 101: 0.999997, 550: 0.5, 775: 0.146447, 999: 3e-6, 1000: 0 }],
  [
    "cosine_with_restarts",
    { numCycles: 3 },
    { 101: 0.999973, 550: 0.5, 775: 0.853553, 999: 2.7e-5, 1000: 0 },
  ],
  ["polynomial", { power: 2 }, { 101: 0.997781, 550: 0.25075, 775: 0.063437, 999: 0.001001, 1000: 0.001 }],
];

describe.each(golden)("%s", (name, options, values) => {
  it.each(Object.entries(values))("at step %s", (step, expected) => {
    const multiplier = lrSchedules[name](Number(step), { ...run, ...options });
    expect(Math.abs(multiplier - expected)).toBeLessThan(1e-6); // the values are given to six digits
  });
});

it("keeps a share of the rate where a minimum is asked for", () => {
  expect(lrSchedules.cosine_with_min_lr(1000, { ...run, minLrRatio: 0.1 })).toBeCloseTo(0.1, 12);
  expect(lrSchedules.cosine_with_min_lr(550, { ...run, minLrRatio: 0.1 })).toBeCloseTo(0.55, 12);
});

it("holds the plateau, then decays", () => {
  const options = { ...run, decaySteps: 200, minLrRatio: 0.2 };
  const at = (step: number) => lrSchedules.warmup_stable_decay(step, options);
  expect([at(0), at(100), at(799)]).toEqual([0.2, 1, 1]);
  expect(at(900)).toBeCloseTo(0.6, 12);
  expect(at(1000)).toBe(0.2);
});

it("falls with the inverse square root", () => {
  expect(lrSchedules.inverse_sqrt(400, run)).toBeCloseTo(0.5, 12);
  expect(lrSchedules.inverse_sqrt(300, { ...run, warmupSteps: 0, timescale: 100 })).toBeCloseTo(0.5, 12);
});

it("starts every warm-up at rate 0 and reaches the base rate", () => {
  for (const [name, meta] of Object.entries(lrScheduleMeta) as [
    LrScheduleName,
    { options: readonly string[] },
  ][]) {
    if (!meta.options.includes("warmupSteps")) continue;
    expect(learningRateAt(name, 0, run), name).toBe(0);
    expect(learningRateAt(name, 100, run), name).toBeCloseTo(1e-4, 12);
  }
});
