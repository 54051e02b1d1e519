/** Plans of a model's steps, each made once: settings are looked at again with every key that is typed. */
import type { LoadedModel } from "../../models/loadedModel";
import type { PlannedChoice, StepChoice } from "./api";
import { planStep } from "./planStep";

const known = new WeakMap<LoadedModel, Map<string, PlannedChoice>>();

export function planChoices(model: LoadedModel, choices: readonly StepChoice[]): PlannedChoice[] {
  const plans = known.get(model) ?? new Map<string, PlannedChoice>();
  known.set(model, plans);
  return choices.map((choice) => {
    const key = JSON.stringify(choice);
    const planned = plans.get(key) ?? planOne(model, choice);
    plans.set(key, planned);
    return planned;
  });
}

function planOne({ config, device: { policy } }: LoadedModel, choice: StepChoice): PlannedChoice {
  const { training, plan } = planStep(config, choice, policy);
  const { blocks, redoneBlocks } = training;
  const twice = redoneBlocks === 0 ? "none" : redoneBlocks < blocks ? "some" : "all";
  return { choice, bytes: plan.bytes, largestBinding: plan.largestBinding, twice };
}
