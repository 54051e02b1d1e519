/** Applies prompt weights to the text encoder's output, as the web UI's emphasis modes do. */

/** `original` restores the mean after weighting; `no-norm` does not; `ignore` leaves the states alone. */
export type EmphasisMode = "original" | "no-norm" | "ignore";

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * @param states [batch, tokens, hidden]: one chunk of every text that is encoded together. The mean runs over all of it,
 *   so texts of one batch influence each other, as in the original.
 * @param multipliers [batch][tokens].
 * @returns new states of the same shape.
 */
export function applyEmphasis(
  states: Float32Array,
  multipliers: readonly (readonly number[])[],
  mode: EmphasisMode = "original",
): Float32Array {
  if (mode === "ignore") return states.slice();
  const weights = multipliers.flat();
  const hidden = states.length / weights.length;
  const weighted = states.map((value, i) => value * (weights[Math.floor(i / hidden)] ?? 1));
  if (mode === "no-norm") return weighted;
  const restore = mean(states) / mean(weighted);
  return weighted.map((value) => value * restore);
}
