/**
 * The comparison rules of golden data: a tensor passes when its relative L2 error is within `rel`, or every
 * element is within `abs`; NaN and infinity always fail.
 */
import type { VerifyOutcome } from "./types";

export interface Tolerance {
  rel: number;
  abs: number;
}

export interface Comparison {
  /** `||actual - expected|| / ||expected||`, in double precision; 0 when both are all zero. */
  rel: number;
  /** Largest absolute difference of any element. */
  maxAbs: number;
  pass: boolean;
}

const worst: Comparison = { rel: Infinity, maxAbs: Infinity, pass: false };

/** A length that differs, or any value that is not finite, is a failure with an infinite error. */
export function compare(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
): Comparison {
  if (actual.length !== expected.length) return worst;
  let difference = 0;
  let norm = 0;
  let maxAbs = 0;
  for (let i = 0; i < expected.length; i++) {
    const delta = Number(actual[i]) - Number(expected[i]);
    if (!Number.isFinite(delta)) return worst;
    difference += delta * delta;
    norm += Number(expected[i]) ** 2;
    maxAbs = Math.max(maxAbs, Math.abs(delta));
  }
  const rel = difference === 0 ? 0 : Math.sqrt(difference / norm);
  return { rel, maxAbs, pass: rel <= tolerance.rel || maxAbs <= tolerance.abs };
}

/** `tolerance.rel` and `tolerance.abs` of a case; a limit that is absent is 0, so nothing passes by it. */
export function toleranceOf(testCase: Record<string, unknown>): Tolerance {
  const limits = testCase["tolerance"];
  if (typeof limits !== "object" || limits === null) return { rel: 0, abs: 0 };
  const read = (key: string) => Number(new Map(Object.entries(limits)).get(key) ?? 0);
  return { rel: read("rel"), abs: read("abs") };
}

/**
 * Gathers the comparisons of one case into one outcome: the largest error, and the first few failures by name.
 * A case in which nothing was checked fails.
 */
export class Checks {
  #error = 0;
  #count = 0;
  readonly #failures: string[] = [];

  /** Compares two tensors. */
  close(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance): void {
    const result = compare(actual, expected, tolerance);
    this.#count++;
    if (result.pass && result.rel > tolerance.rel) return; // within `abs`: rel says nothing about near-zeros
    this.#error = Math.max(this.#error, result.rel);
    if (!result.pass)
      this.#failures.push(
        `${what}: rel ${result.rel.toExponential(2)}, max |Δ| ${result.maxAbs.toExponential(2)}`,
      );
  }

  /** Compares two plain values (strings, lists, numbers) for equality of their JSON. */
  equal(what: string, actual: unknown, expected: unknown): void {
    const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
    this.that(`${what}: ${got} instead of ${wanted}`, got === wanted);
  }

  /** Records a condition; `what` is told when it does not hold. */
  that(what: string, holds: boolean): void {
    this.#count++;
    if (!holds) this.#failures.push(what);
  }

  outcome(note?: string): VerifyOutcome {
    if (this.#count === 0) return { status: "failed", detail: "nothing was compared" };
    if (this.#failures.length === 0)
      return { status: "passed", error: this.#error, ...(note ? { detail: note } : {}) };
    const more = this.#failures.length > 3 ? ` (and ${this.#failures.length - 3} more)` : "";
    return { status: "failed", error: this.#error, detail: this.#failures.slice(0, 3).join("; ") + more };
  }
}
