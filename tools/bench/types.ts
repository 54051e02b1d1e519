/** What the bench page hands to the command: plain data. */

export interface MatmulCase {
  readonly kind: "matmul";
  readonly rows: number;
  readonly outputs: number;
  readonly inputs: number;
}

export interface ConvCase {
  readonly kind: "conv";
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
}

export interface AttentionCase {
  readonly kind: "attention";
  readonly heads: number;
  readonly headDim: number;
  readonly queries: number;
  /** Present: cross-attention. */
  readonly keys?: number;
}

export type BenchCase = MatmulCase | ConvCase | AttentionCase;

export type Part = "peak" | "matmul" | "conv" | "attention" | "step" | "dataset";

export interface BenchOptions {
  readonly parts: readonly Part[];
  /** SD 1.5's shapes as they are, or with fewer rows and pixels (same channels) for software adapters. */
  readonly size: "full" | "scaled" | "auto";
  /** Timed rounds per case; contenders take turns inside each. */
  readonly rounds: number;
}

export interface Peak {
  readonly gflops: number;
  readonly copyGigabytesPerSecond: number;
  readonly dispatchMicroseconds: number;
}

/** One contender on one case. */
export interface Timing {
  readonly contender: string;
  /** Which kernels or graph it ran. */
  readonly variant: string;
  /** Milliseconds of every round. */
  readonly rounds: readonly number[];
  /** Against sampled outputs in double precision. */
  readonly relativeError: number;
  /** Why there is no timing, or why it does not count. */
  readonly problem?: string;
}

export interface CaseResult {
  readonly name: string;
  readonly kind: BenchCase["kind"];
  readonly gflop: number;
  readonly timings: readonly Timing[];
}

export interface StepResult {
  readonly model: string;
  readonly shape: string;
  readonly dispatches: number;
  readonly gflop: number;
  /** Milliseconds of each timed step. */
  readonly rounds: readonly number[];
}

/** Reading photographs: milliseconds of each. */
export interface DatasetResult {
  readonly shape: string;
  readonly resolution: number;
  /** Import: decoding, thumbnail, hash, blur, blocks. */
  readonly read: readonly number[];
  /** Before training: decoding, compositing, the training resize. */
  readonly prepared: readonly number[];
  /** Import by the pool that the app uses, its start included. */
  readonly poolPicturesPerSecond: number;
  readonly workers: number;
}

export interface BenchReport {
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly size: "full" | "scaled";
  readonly peak: Peak | undefined;
  readonly cases: readonly CaseResult[];
  readonly steps: readonly StepResult[];
  readonly dataset?: DatasetResult | undefined;
  /** Parts that broke; the others still count. */
  readonly problems: readonly string[];
}
