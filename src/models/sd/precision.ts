/** How much precision the UNet's weights keep when a model is quantised. */
import type { WeightPrecision } from "../../engine/tensor";

/**
 * Where quantisation shows (docs/decisions/quantisation.md): noise in the finest level's weights, and in those that the
 * whole stream passes through, reaches the output unaveraged. The coarse levels hold most of the weights and hardly
 * matter.
 */
export function levelPrecision(level: number): WeightPrecision {
  if (level === 0) return "exact";
  return level === 1 ? "usual" : "sturdy";
}

/**
 * Where transformer blocks are stacked, errors add up along the stack. On the way down, where they also reach everything
 * behind, the whole stack keeps more; in the middle and on the way up all but its feed-forwards.
 */
export function stackPrecision(depth: number): WeightPrecision {
  return depth > 1 ? "usual" : "sturdy";
}
