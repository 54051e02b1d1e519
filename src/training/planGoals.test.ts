/** The memory and dispatches that plans of full-size models are held to (kernels of a GPU, f16 activations, rank 16). */
import { expect, it } from "vitest";
import { ParameterLayout } from "../engine/parameters";
import type { ExecutionPlan } from "../engine/planner";
import { GPU_POLICY } from "../engine/policy";
import type { FamilyName } from "../formats/checkpoint/config";
import { fullSizeConfig } from "../formats/checkpoint/fullSize";
import { loraModules } from "../formats/lora/modules";
import { familyNamed } from "../models";
import { bindTarget, LoraBinding } from "../models/lora/binding";
import { buildTrainingGraph, planTraining } from "./trainingGraph";

function planOf(
  name: FamilyName,
  size: number,
  batch: number,
  quant: "q8" | "q4",
  recompute: boolean,
): ExecutionPlan {
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
    recompute,
  });
  return planTraining(training, GPU_POLICY, quant);
}

it.each([
  ["sd1", 512, 1, "q8", false, 2.0e9],
  ["sd1", 512, 1, "q8", true, 1.5e9],
  ["sd1", 512, 1, "q4", true, 1.2e9],
  ["sd1", 512, 4, "q8", false, 4e9],
  ["sdxl", 1024, 1, "q4", true, 6e9],
] as const)(
  "%s at %i px, batch %i, %s, recompute %s: at most %d bytes",
  (name, size, batch, quant, recompute, limit) => {
    expect(planOf(name, size, batch, quant, recompute).bytes.total).toBeLessThan(limit);
  },
);

it("SD1.5 at 512 px needs at most 1 600 dispatches", () => {
  expect(planOf("sd1", 512, 1, "q8", false).calls.length).toBeLessThanOrEqual(1600);
});
