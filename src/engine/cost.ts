/** Work of a plan by kind, from the ops' own counts. */
import type { ExecutionPlan } from "./planner";
import { neededNodes } from "./lowering";
import type { FlopKind } from "./op";

export type FlopsByKind = Record<FlopKind | "recompute" | "total", number>;

/** Useful FLOPs of one run; work redone to save memory is counted apart and not in the total. */
export function planFlops({ graph }: ExecutionPlan): FlopsByKind {
  const flops: FlopsByKind = { total: 0, conv: 0, linear: 0, attention: 0, lora: 0, other: 0, recompute: 0 };
  for (const node of neededNodes(graph)) {
    const cost = node.op.cost(node);
    if (node.phase === "recompute") {
      flops.recompute += cost.flops + (cost.loraFlops ?? 0);
      continue;
    }
    flops[cost.kind] += cost.flops;
    flops.lora += cost.loraFlops ?? 0;
    flops.total += cost.flops + (cost.loraFlops ?? 0);
  }
  return flops;
}
