/** How much of a step is computed twice: no more than its memory asks for. */
import type { ExecutionPlan } from "../engine/planner";
import type { TrainingGraph } from "./trainingGraph";

export interface RecomputeChoice {
  /** Redo activations in the backward pass instead of keeping them. */
  readonly recompute: boolean;
  /** Redo only as much as makes a step fit into so many gigabytes (2³⁰ bytes); 0: all. */
  readonly memoryLimit: number;
}

export interface PlannedStep {
  readonly training: TrainingGraph;
  readonly plan: ExecutionPlan;
}

/**
 * The step that fits with the fewest blocks redone; the smallest there is when none fits.
 * @param build plans the step with so many blocks redone; more of them take less memory
 */
export function leastRecompute<T extends PlannedStep>(
  build: (redoneBlocks: number) => T,
  { recompute, memoryLimit }: RecomputeChoice,
): T {
  if (!recompute) return build(0);
  let best = build(Number.POSITIVE_INFINITY);
  const fits = ({ plan }: T) => plan.bytes.total <= memoryLimit * 2 ** 30;
  if (memoryLimit === 0 || !fits(best)) return best;
  let [fewest, most] = [0, best.training.blocks];
  while (fewest < most) {
    const middle = Math.floor((fewest + most) / 2);
    const tried = build(middle);
    if (fits(tried)) [best, most] = [tried, middle];
    else fewest = middle + 1;
  }
  return best;
}
