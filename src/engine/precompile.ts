/** Compiling ahead: a plan's kernels, before the program that will run them is asked for. */
import type { EngineDevice } from "./device";
import type { LoweredCall } from "./lowering";
import { pipelineCache, type StorageByBinding } from "./pipelines";
import type { ExecutionPlan } from "./planner";
import type { BoundStorage } from "./prelude";
import type { Tensor, WeightType } from "./tensor";
import { weightTypeFor } from "./weights";

/**
 * Fills the device's pipeline cache with what the plan needs, one kernel after another, so that whoever works meanwhile
 * keeps most of the processor. Allocates nothing on the GPU.
 * @param weightType how weights are to be stored
 * @param signal stops it after the kernel at hand
 */
export async function precompile(
  device: EngineDevice,
  plan: ExecutionPlan,
  weightType: WeightType,
  signal: AbortSignal,
): Promise<void> {
  const cache = pipelineCache(device);
  for (const call of plan.calls) {
    if (signal.aborted) return;
    await cache.get(call.kernel, boundStorage(call, weightType), call.constants);
  }
}

/** How each tensor of a call is stored where weights of matrices are stored as `weightType`. */
export function boundStorage(call: LoweredCall, weightType: WeightType): StorageByBinding {
  const entries = Object.entries(call.tensors).map(([name, tensor]): [string, BoundStorage | undefined] => [
    name,
    tensor && storageOf(tensor, weightType),
  ]);
  return Object.fromEntries(entries);
}

function storageOf(tensor: Tensor, weightType: WeightType): BoundStorage {
  if (tensor.weight) return { type: weightTypeFor(tensor.weight, weightType), memory: "host" };
  return { type: tensor.type, memory: tensor.role === "input" ? "host" : "device" };
}
