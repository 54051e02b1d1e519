/** Small things several ops need; not an op. */
import { InternalError } from "../../base/errors";
import type { ActivationType, Tensor } from "../tensor";

/** The only output of an op. */
export function first(outputs: readonly Tensor[]): Tensor {
  const [output] = outputs;
  if (!output) throw new InternalError("an op without outputs");
  return output;
}

/** Storage for a gradient: that of the value it belongs to. */
export function activationTypeOf(tensor: Tensor): ActivationType {
  if (tensor.type === "u32") throw new InternalError(`${tensor.name} holds integers`);
  return tensor.type;
}

/** Workgroups of a flat kernel: the executor folds what exceeds 65 535. */
export function flatGroups(count: number, threads = 64): readonly [number, number, number] {
  return [Math.ceil(count / threads), 1, 1];
}
