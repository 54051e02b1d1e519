/** Figures of a bench report: medians, ratios, shares of the peak; and its text. */
import type { BenchReport, CaseResult, DatasetResult, StepResult, Timing } from "./types";

export interface Summary {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
  return { min: sorted[0] ?? Number.NaN, median, max: sorted.at(-1) ?? Number.NaN };
}

/** Weft's speed over a peer's on one case. */
export interface PeerRatio {
  readonly peer: string;
  /** The peer's way that was fastest. */
  readonly variant: string;
  /** Peer's time ÷ Weft's time, round by round: above 1, Weft is faster. */
  readonly speedup: Summary;
}

export interface CaseFigures {
  readonly name: string;
  readonly kind: CaseResult["kind"];
  readonly variant: string;
  readonly gflops: number;
  /** Of the measured multiply-add peak; undefined when the peak was not measured. */
  readonly shareOfPeak: number | undefined;
  readonly peers: readonly PeerRatio[];
}

export interface Figures {
  readonly cases: readonly CaseFigures[];
  /** performance.md E6: R1 median share of peak; R1b Weft ÷ best peer on the matmul and conv cases. */
  readonly R1: Summary | undefined;
  readonly R1b: Summary | undefined;
  /** Useful work of a whole step ÷ (its time · peak). */
  readonly R2: number | undefined;
  /** p95 ÷ p50 of the steps. */
  readonly R7: number | undefined;
  readonly R15: number | undefined;
}

const usable = (timing: Timing) => timing.rounds.length > 0;
const medianOf = (timing: Timing) => summarize(timing.rounds).median;

function fastest(timings: readonly Timing[]): Timing | undefined {
  return timings.filter(usable).sort((a, b) => medianOf(a) - medianOf(b))[0];
}

export function caseFigures(result: CaseResult, peak: number | undefined): CaseFigures | undefined {
  const own = fastest(result.timings.filter(({ contender }) => contender === "weft"));
  if (!own) return undefined;
  const gflops = (result.gflop / medianOf(own)) * 1000;
  const names = [...new Set(result.timings.map(({ contender }) => contender))].filter(
    (name) => name !== "weft",
  );
  const peers = names.flatMap((peer) => {
    const best = fastest(result.timings.filter(({ contender }) => contender === peer));
    if (!best) return [];
    const speedup = summarize(best.rounds.map((time, round) => time / (own.rounds[round] ?? Number.NaN)));
    return [{ peer, variant: best.variant, speedup }];
  });
  const shareOfPeak = peak === undefined ? undefined : gflops / peak;
  return { name: result.name, kind: result.kind, variant: own.variant, gflops, shareOfPeak, peers };
}

export function figuresOf(report: BenchReport): Figures {
  const peak = report.peak?.gflops;
  const cases = report.cases.flatMap((result) => caseFigures(result, peak) ?? []);
  const layers = cases.filter(({ kind }) => kind !== "attention");
  const shares = layers.flatMap(({ shareOfPeak }) => shareOfPeak ?? []);
  const toBest = layers
    .filter(({ peers }) => peers.length > 0)
    .map(({ peers }) => Math.min(...peers.map(({ speedup }) => speedup.median)));
  const [step] = report.steps;
  return {
    cases,
    R1: shares.length > 0 ? summarize(shares) : undefined,
    R1b: toBest.length > 0 ? summarize(toBest) : undefined,
    R2: step && peak !== undefined ? (step.gflop / summarize(step.rounds).median) * (1000 / peak) : undefined,
    R7: step && jitter(step),
    R15: step?.dispatches,
  };
}

function jitter({ rounds }: StepResult): number {
  const sorted = [...rounds].sort((a, b) => a - b);
  const p95 = sorted[Math.min(sorted.length - 1, Math.ceil(0.95 * sorted.length) - 1)] ?? Number.NaN;
  return p95 / summarize(rounds).median;
}

const short = (value: number) => value.toPrecision(3);
const spread = ({ min, median, max }: Summary) => `${short(min)} / ${short(median)} / ${short(max)}`;
const percent = (value: number) => `${(100 * value).toFixed(1)} %`;

/** The report in words, one line per figure. */
export function reportText(report: BenchReport): string {
  const figures = figuresOf(report);
  return [
    `adapter: ${report.adapter}`,
    ...(report.size === "scaled"
      ? ["shapes: SD 1.5's channels with fewer rows, pixels and tokens, to fit a software adapter"]
      : []),
    ...(report.peak ? [peakText(report.peak)] : []),
    ...figures.cases.flatMap(caseText),
    ...report.cases.flatMap(problemText),
    ...report.steps.map((step) => stepText(step, figures)),
    ...(report.dataset ? datasetText(report.dataset) : []),
    ...report.problems.map((problem) => `left out, ${problem}`),
    ...(figures.R1 ? [`R1 share of peak, matmul and conv (min / median / max): ${spread(figures.R1)}`] : []),
    ...(figures.R1b
      ? [`R1b speed ÷ best peer, matmul and conv (min / median / max): ${spread(figures.R1b)}`]
      : []),
  ].join("\n");
}

function peakText(peak: NonNullable<BenchReport["peak"]>): string {
  const { gflops, copyGigabytesPerSecond, dispatchMicroseconds } = peak;
  return `peak: ${short(gflops)} GFLOP/s multiply-add f32, ${short(copyGigabytesPerSecond)} GB/s copy, ${short(dispatchMicroseconds)} µs per empty dispatch`;
}

function caseText({ name, variant, gflops, shareOfPeak, peers }: CaseFigures): string[] {
  const share = shareOfPeak === undefined ? "" : `, ${percent(shareOfPeak)} of peak`;
  return [
    `${name}: ${short(gflops)} GFLOP/s${share} (${variant})`,
    ...peers.map(({ peer, variant: way, speedup }) => `  ${spread(speedup)} × the speed of ${peer} (${way})`),
  ];
}

function problemText({ name, timings }: CaseResult): string[] {
  return timings
    .filter(({ problem }) => problem !== undefined)
    .map(({ contender, variant, problem, relativeError }) => {
      const error = Number.isNaN(relativeError) ? "" : `, relative error ${relativeError.toExponential(1)}`;
      return `${name}: ${contender} ${variant} left out: ${problem ?? ""}${error}`;
    });
}

function datasetText(result: DatasetResult): string[] {
  const { shape, resolution, read, prepared, poolPicturesPerSecond, workers } = result;
  const perSecond = (rounds: readonly number[]) => short(1000 / summarize(rounds).median);
  return [
    `pictures (${shape}), one worker: import ${perSecond(read)} images/s (decode, resize, hash: ${spread(summarize(read))} ms), training size ${resolution} ${perSecond(prepared)} images/s (${spread(summarize(prepared))} ms)`,
    `pictures (${shape}), pool of ${workers}: import ${short(poolPicturesPerSecond)} images/s`,
  ];
}

function stepText({ model, shape, dispatches, gflop, rounds }: StepResult, { R2, R7 }: Figures): string {
  const time = summarize(rounds);
  const share = R2 === undefined ? "" : `, R2 ${percent(R2)} of peak`;
  const evenness = R7 === undefined ? "" : `, R7 p95 ÷ p50 ${short(R7)}`;
  return `training step of ${model} at ${shape}: ${spread(time)} ms (min / median / max), ${short(gflop)} GFLOP, ${dispatches} dispatches${share}${evenness}`;
}
