/** The memory and dispatches that plans of full-size models are held to (kernels of a GPU, f16 activations, rank 16). */
import { describe, expect, it } from "vitest";
import { ParameterLayout } from "../engine/parameters";
import type { ExecutionPlan } from "../engine/planner";
import { GPU_POLICY } from "../engine/policy";
import type { FamilyName } from "../formats/checkpoint/config";
import { fullSizeConfig } from "../formats/checkpoint/fullSize";
import { loraModules } from "../formats/lora/modules";
import { familyNamed } from "../models";
import { bindTarget, LoraBinding } from "../models/lora/binding";
import { leastRecompute, type PlannedStep, type RecomputeChoice } from "./leastRecompute";
import { buildTrainingGraph, planTraining } from "./trainingGraph";

interface Wish extends RecomputeChoice {
  readonly name: FamilyName;
  readonly size: number;
  readonly batch: number;
  readonly quant: "q8" | "q4";
}

function planOf(wish: Wish): ExecutionPlan {
  return leastRecompute((redoneBlocks) => planned(wish, redoneBlocks), wish).plan;
}

function planned({ name, size, batch, quant }: Wish, redoneBlocks: number): PlannedStep {
  const config = fullSizeConfig(name);
  const targets = loraModules(config)
    .filter(({ part }) => part === "unet")
    .map(bindTarget);
  const training = buildTrainingGraph({
    family: familyNamed(name),
    config,
    shape: { batch, height: size / 8, width: size / 8, tokens: 77 },
    lora: new LoraBinding(targets, 16, 1),
    parameters: new ParameterLayout(),
    activationType: "f16",
    trainTextEncoder: false,
    clipSkip: 1,
    redoneBlocks,
  });
  return { training, plan: planTraining(training, GPU_POLICY, quant) };
}

const sd15 = { name: "sd1", size: 512, batch: 1, quant: "q8" } as const;

it.each([
  ["sd1", 512, 1, "q8", false, 2.0e9],
  ["sd1", 512, 1, "q8", true, 1.5e9],
  ["sd1", 512, 1, "q4", true, 1.2e9],
  ["sd1", 512, 4, "q8", false, 4e9],
  ["sdxl", 1024, 1, "q4", true, 6e9],
] as const)(
  "%s at %i px, batch %i, %s, recompute %s: at most %d bytes",
  (name, size, batch, quant, recompute, limit) => {
    const plan = planOf({ name, size, batch, quant, recompute, memoryLimit: 0 });
    expect(plan.bytes.total).toBeLessThan(limit);
  },
);

it("SD1.5 at 512 px needs at most 1 600 dispatches", () => {
  const plan = planOf({ ...sd15, recompute: false, memoryLimit: 0 });
  expect(plan.calls.length).toBeLessThanOrEqual(1600);
});

describe("with more memory than the smallest step needs, less is computed twice", () => {
  const [kept, all] = [false, true].map((recompute) => planOf({ ...sd15, recompute, memoryLimit: 0 }));
  const within = (bytes: number) => planOf({ ...sd15, recompute: true, memoryLimit: bytes / 2 ** 30 });

  it("as much as fits is kept", () => {
    const plan = within(1.5e9);
    expect(plan.bytes.total).toBeLessThanOrEqual(1.5e9);
    expect(plan.calls.length).toBeGreaterThan(kept?.calls.length ?? 0);
    expect(plan.calls.length).toBeLessThan(all?.calls.length ?? 0);
  });

  it("nothing is redone where everything fits, everything where nothing does", () => {
    expect(within(2e9).calls.length).toBe(kept?.calls.length);
    expect(within(1e9).bytes).toEqual(all?.bytes);
  });
});
