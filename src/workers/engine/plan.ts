/** A plan in the words of the page. */
import { planFlops } from "../../engine/cost";
import type { ExecutionPlan } from "../../engine/planner";
import type { MemoryPlan } from "./api";

export function planSummary(plan: ExecutionPlan): MemoryPlan {
  return { dispatches: plan.calls.length, flops: planFlops(plan).total, bytes: plan.bytes };
}
