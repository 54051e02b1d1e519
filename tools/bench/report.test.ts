import { describe, expect, it } from "vitest";
import { figuresOf, reportText, summarize } from "./report";
import type { BenchReport, CaseResult, Timing } from "./types";

const timing = (contender: string, variant: string, rounds: number[], problem?: string): Timing => ({
  contender,
  variant,
  rounds,
  relativeError: problem === undefined ? 1e-7 : 0.5,
  ...(problem !== undefined && { problem }),
});

const matmul: CaseResult = {
  name: "matmul",
  kind: "matmul",
  gflop: 1,
  timings: [
    timing("weft", "linear", [100, 200]),
    timing("a", "slow", [900, 900]),
    timing("a", "fast", [300, 300]),
    timing("b", "only", [50, 100]),
  ],
};

const attention: CaseResult = {
  name: "attention",
  kind: "attention",
  gflop: 1,
  timings: [timing("weft", "attentionLanes", [100]), timing("a", "fused", [], "wrong result")],
};

const report: BenchReport = {
  adapter: "test",
  isSoftware: true,
  size: "scaled",
  peak: { gflops: 20, copyGigabytesPerSecond: 1, dispatchMicroseconds: 10 },
  cases: [matmul, attention],
  steps: [{ model: "m", shape: "s", dispatches: 700, gflop: 2, rounds: [1000, 1000, 1200] }],
  problems: [],
};

describe("bench report", () => {
  it("takes the mean of the middle two of an even count", () => {
    expect(summarize([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, max: 4 });
  });

  it("compares round by round with each peer's fastest way", () => {
    const { cases } = figuresOf(report);
    expect(cases[0]?.gflops).toBeCloseTo(1000 / 150);
    expect(cases[0]?.peers).toEqual([
      { peer: "a", variant: "fast", speedup: { min: 1.5, median: 2.25, max: 3 } },
      { peer: "b", variant: "only", speedup: { min: 0.5, median: 0.5, max: 0.5 } },
    ]);
  });

  it("leaves a wrong peer out of the ratios and says so", () => {
    expect(figuresOf(report).cases[1]?.peers).toEqual([]);
    expect(reportText(report)).toContain("attention: a fused left out: wrong result, relative error 5.0e-1");
  });

  it("gives the ids of the performance goals: layers only, best peer only", () => {
    const { R1, R1b, R2, R7, R15 } = figuresOf(report);
    expect(R1?.median).toBeCloseTo(1000 / 150 / 20);
    expect(R1b?.median).toBe(0.5);
    expect(R2).toBeCloseTo(0.1);
    expect(R7).toBeCloseTo(1.2);
    expect(R15).toBe(700);
  });
});
