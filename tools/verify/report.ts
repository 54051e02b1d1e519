/** Turns outcomes into lines and totals. */
import type { VerifyOutcome } from "./types";

export interface ReportedOutcome extends VerifyOutcome {
  case: string;
  kind: string;
  seconds: number;
}

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** `passed  rng/nv  rel 1.2e-7  (0.1 s)`, one line whatever the detail holds. */
export function outcomeLine(o: ReportedOutcome): string {
  const name = o.name ? `${o.case} [${o.name}]` : o.case;
  const error = o.error === undefined ? "" : `  rel ${o.error.toExponential(2)}`;
  const detail = o.detail ? `  ${o.detail.replace(/\s+/g, " ").slice(0, 500)}` : "";
  return `${o.status.padEnd(7)} ${name}${error}${detail}  (${o.seconds.toFixed(1)} s)`;
}

export function total(outcomes: readonly VerifyOutcome[]): Totals {
  const count = (status: VerifyOutcome["status"]) => outcomes.filter((o) => o.status === status).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/** The last line of every run; scripts read it. */
export function totalsLine(t: Totals): string {
  return `${t.passed} passed, ${t.failed} failed${t.skipped > 0 ? `, ${t.skipped} skipped` : ""}`;
}
