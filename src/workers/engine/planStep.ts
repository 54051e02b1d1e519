/** What a training step would need, from shapes alone: no GPU, no weights. */
import { ParameterLayout } from "../../engine/parameters";
import type { ExecutionPlan } from "../../engine/planner";
import type { KernelPolicy } from "../../engine/policy";
import type { CheckpointConfig } from "../../formats/checkpoint/config";
import { loraModules } from "../../formats/lora/modules";
import { familyNamed } from "../../models";
import { bindTarget, LoraBinding } from "../../models/lora/binding";
import { buildTrainingGraph, planTraining } from "../../training/trainingGraph";
import type { StepChoice } from "./api";

const TOKENS = 77;

export function planStep(config: CheckpointConfig, choice: StepChoice, policy: KernelPolicy): ExecutionPlan {
  const { quantisation, batchSize, rank, resolution, trainTextEncoder, clipSkip, recompute } = choice;
  const side = Math.round(resolution / 8);
  const targets = loraModules(config)
    .filter(({ part }) => part === "unet" || trainTextEncoder)
    .map(bindTarget);
  const training = buildTrainingGraph({
    family: familyNamed(config.family),
    config,
    shape: { batch: batchSize, height: side, width: side, tokens: TOKENS },
    lora: new LoraBinding(targets, rank, 1),
    parameters: new ParameterLayout(),
    activationType: quantisation === "f32" ? "f32" : "f16",
    trainTextEncoder,
    clipSkip,
    recompute,
  });
  return planTraining(training, policy, quantisation);
}
