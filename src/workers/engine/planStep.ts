/** What a training step would need, from shapes alone: no GPU, no weights. */
import { ParameterLayout } from "../../engine/parameters";
import type { KernelPolicy } from "../../engine/policy";
import type { CheckpointConfig } from "../../formats/checkpoint/config";
import { loraModules } from "../../formats/lora/modules";
import { familyNamed } from "../../models";
import { bindTarget, LoraBinding } from "../../models/lora/binding";
import { leastRecompute, type PlannedStep } from "../../training/leastRecompute";
import { buildTrainingGraph, planTraining } from "../../training/trainingGraph";
import type { StepChoice } from "./api";

const TOKENS = 77;

export function planStep(config: CheckpointConfig, choice: StepChoice, policy: KernelPolicy): PlannedStep {
  const { quantisation, batchSize, rank, resolution, trainTextEncoder, clipSkip } = choice;
  const side = Math.round(resolution / 8);
  const targets = loraModules(config)
    .filter(({ part }) => part === "unet" || trainTextEncoder)
    .map(bindTarget);
  const build = (redoneBlocks: number) => {
    const training = buildTrainingGraph({
      family: familyNamed(config.family),
      config,
      shape: { batch: batchSize, height: side, width: side, tokens: TOKENS },
      lora: new LoraBinding(targets, rank, 1),
      parameters: new ParameterLayout(),
      activationType: quantisation === "f32" ? "f32" : "f16",
      trainTextEncoder,
      clipSkip,
      redoneBlocks,
    });
    return { training, plan: planTraining(training, policy, quantisation) };
  };
  return leastRecompute(build, choice);
}
