/** Applies prompt weights to the text encoder's output, as the web UI's emphasis modes do. */

/** `original` restores the mean after weighting; `no-norm` does not; `ignore` leaves the states alone. */
export type EmphasisMode = "original" | "no-norm" | "ignore";

export interface EmphasisOptions {
  /** Default `original`. */
  readonly mode?: EmphasisMode;
  /** Features of each text encoder whose states lie side by side; each has a mean of its own. Default: one encoder. */
  readonly widths?: readonly number[];
}

/**
 * @param states [batch, tokens, hidden]: one chunk of every text that is encoded together. The mean runs over all of it,
 *   so texts of one batch influence each other, as in the original.
 * @param multipliers [batch][tokens].
 * @returns new states of the same shape.
 */
export function applyEmphasis(
  states: Float32Array<ArrayBuffer>,
  multipliers: readonly (readonly number[])[],
  { mode = "original", widths }: EmphasisOptions = {},
): Float32Array<ArrayBuffer> {
  if (mode === "ignore") return states.slice();
  const weights = multipliers.flat();
  const hidden = states.length / weights.length;
  const weighted = states.map((value, i) => value * (weights[Math.floor(i / hidden)] ?? 1));
  if (mode === "no-norm") return weighted;
  let begin = 0;
  for (const width of widths ?? [hidden]) {
    const columns = { begin, end: begin + width, hidden };
    const restore = sum(states, columns) / sum(weighted, columns);
    forEach(weighted.length, columns, (i) => (weighted[i] = (weighted[i] ?? 0) * restore));
    begin += width;
  }
  return weighted;
}

/** A range of the features of every row. */
interface Columns {
  readonly begin: number;
  readonly end: number;
  readonly hidden: number;
}

function forEach(length: number, { begin, end, hidden }: Columns, visit: (index: number) => void): void {
  for (let row = 0; row < length; row += hidden) for (let c = begin; c < end; c++) visit(row + c);
}

function sum(values: Float32Array, columns: Columns): number {
  let total = 0;
  forEach(values.length, columns, (i) => (total += values[i] ?? 0));
  return total;
}
