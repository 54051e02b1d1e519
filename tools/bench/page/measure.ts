/** Times all contenders of one case, taking turns, after each has shown that its result is right. */
import type { BenchCase, CaseResult, Timing } from "../types";
import { caseFlops, caseName, drawData, sampledError, type CaseData } from "./cases";
import type { Contender, Prepared } from "./contender";

/** A result further off than this is wrong, not rounded: float32 sums of a few thousand terms agree to 1e-6. */
const LARGEST_ERROR = 1e-3;
/** Runs per sample are chosen so that a sample takes about this long, to drown the timer's steps. */
const SAMPLE_MS = 20;
const MOST_RUNS = 50;

interface Entrant {
  readonly contender: string;
  readonly prepared: Prepared;
  readonly relativeError: number;
  readonly runs: number;
  readonly rounds: number[];
}

export async function measureCase(
  c: BenchCase,
  contenders: readonly Contender[],
  rounds: number,
): Promise<CaseResult> {
  const data = drawData(c);
  const entrants: Entrant[] = [];
  const failures: Timing[] = [];
  for (const contender of contenders) {
    for (const way of contender.ways(c, data)) {
      const entered = await enter(contender.name, way, c, data);
      if ("prepared" in entered) entrants.push(entered);
      else failures.push(entered);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const entrant of entrants) entrant.rounds.push(await timed(entrant.prepared, entrant.runs));
  }
  const timings = entrants.map(({ contender, prepared, relativeError, rounds: measured }) => ({
    contender,
    variant: prepared.variant,
    rounds: measured,
    relativeError,
  }));
  for (const { prepared } of entrants) await prepared.dispose();
  return { name: caseName(c), kind: c.kind, gflop: caseFlops(c) / 1e9, timings: [...timings, ...failures] };
}

/** Compiles, checks the result and finds how many runs make a sample. */
async function enter(
  contender: string,
  way: () => Promise<Prepared>,
  c: BenchCase,
  data: CaseData,
): Promise<Entrant | Timing> {
  try {
    const prepared = await way();
    await timed(prepared, 1);
    const relativeError = sampledError(c, data, await prepared.result());
    if (!(relativeError <= LARGEST_ERROR)) {
      await prepared.dispose();
      return { contender, variant: prepared.variant, rounds: [], relativeError, problem: "wrong result" };
    }
    const one = await timed(prepared, 1);
    const runs = Math.max(1, Math.min(MOST_RUNS, Math.round(SAMPLE_MS / one)));
    return { contender, prepared, relativeError, runs, rounds: [] };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { contender, variant: "", rounds: [], relativeError: Number.NaN, problem };
  }
}

/** Milliseconds per run. */
async function timed(prepared: Prepared, runs: number): Promise<number> {
  const begin = performance.now();
  for (let run = 0; run < runs; run++) await prepared.run();
  await prepared.finished();
  return (performance.now() - begin) / runs;
}
