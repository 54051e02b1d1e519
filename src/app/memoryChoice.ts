/** What a run's memory is spent on: activations kept where that fits, computed twice where it does not. */
import type { PlannedChoice, Quantisation, StepChoice } from "../workers/engine/api";
import type { Fit } from "./gpuMemory.svelte";

export interface MemoryChoice {
  /** What is set. */
  readonly planned: PlannedChoice;
  readonly fit: Fit;
  /** Bytes of the step that keeps everything. */
  readonly keptBytes: number;
  /** Smaller weights with which the step would fit, where it does not. */
  readonly smaller?: PlannedChoice;
}

export interface MemoryWish {
  /** The present settings. */
  readonly present: StepChoice;
  /** The person decided what is computed twice; then that stays as it is. */
  readonly isDecided: boolean;
  /** Gigabytes (2³⁰ bytes) a step may take; 0: nobody knows. */
  readonly limit: number;
}

interface Planner {
  readonly plan: (choice: StepChoice) => Promise<PlannedChoice>;
  readonly fit: (planned: PlannedChoice) => Fit;
}

/** From most to least precise. */
const FORMS: readonly Quantisation[] = ["f16", "q8", "q4"];

/**
 * Keeps activations unless that does not fit; then as many are computed twice as the limit asks for. Weights are not
 * changed here, that takes a new import: smaller ones that would help are named.
 */
export async function chooseMemory(
  { present, isDecided, limit }: MemoryWish,
  { plan, fit }: Planner,
): Promise<MemoryChoice> {
  const kept = await plan({ ...present, recompute: false, memoryLimit: 0 });
  const twice = { ...present, recompute: true, memoryLimit: limit };
  const automatic = fit(kept) === "too-big" ? await plan(twice) : kept;
  const planned = isDecided ? await plan(present) : automatic;
  const choice = { planned, fit: fit(planned), keptBytes: kept.bytes.total };
  if (fit(automatic) !== "too-big") return choice;
  const smaller = await firstThatFits(smallerForms(present.quantisation), { plan, fit }, twice);
  return { ...choice, ...(smaller && { smaller }) };
}

function smallerForms(quantisation: Quantisation): readonly Quantisation[] {
  const at = FORMS.indexOf(quantisation);
  // Small models are kept exactly and are small already.
  return at < 0 ? [] : FORMS.slice(at + 1);
}

async function firstThatFits(
  forms: readonly Quantisation[],
  { plan, fit }: Planner,
  choice: StepChoice,
): Promise<PlannedChoice | undefined> {
  for (const quantisation of forms) {
    const planned = await plan({ ...choice, quantisation });
    if (fit(planned) === "fits") return planned;
  }
  return undefined;
}
