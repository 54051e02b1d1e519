/** `schedule`: learning rates, DDPM constants with loss weights, timestep embeddings. */
import * as weights from "../../../src/diffusion/lossWeights";
import type { HuberSchedule } from "../../../src/diffusion/lossWeights";
import {
  alphasCumprod,
  betas,
  cumulativeAlphas,
  exactAlphasCumprod,
  snr,
} from "../../../src/diffusion/noiseSchedule";
import { timestepEmbedding } from "../../../src/diffusion/timestepEmbedding";
import { zeroTerminalSnrBetas } from "../../../src/diffusion/zeroTerminalSnr";
import { learningRateAt, lrSchedules } from "../../../src/training/schedules";
import type { LrScheduleName } from "../../../src/training/schedules/meta";
import { Checks, toleranceOf } from "../compare";
import type { VerifyCase, VerifyKind, VerifyOutcome } from "../types";

interface LrRow {
  scheduler: string;
  lr: number;
  total_steps: number;
  warmup_steps: number;
  num_cycles: number;
  power: number;
  lr_by_step: number[];
}

function isLrSchedule(name: string): name is LrScheduleName {
  return Object.hasOwn(lrSchedules, name);
}

function verifyLr(c: VerifyCase): VerifyOutcome {
  const { rows } = c.case as unknown as { rows: LrRow[] };
  const checks = new Checks();
  for (const row of rows) {
    if (!isLrSchedule(row.scheduler))
      return { status: "skipped", detail: `schedule ${row.scheduler} is not built yet` };
    const { scheduler, lr, num_cycles: numCycles, power } = row;
    const options = { lr, totalSteps: row.total_steps, warmupSteps: row.warmup_steps, numCycles, power };
    const rates = row.lr_by_step.map((_, step) => learningRateAt(scheduler, step, options));
    checks.close(`${row.scheduler} of ${row.total_steps}`, rates, row.lr_by_step, toleranceOf(c.case));
  }
  return checks.outcome();
}

/** The arrays of a `ddpm` case by name, each as a function of the timestep. */
function ddpmArray(name: string): ((t: number) => number) | undefined {
  const ratios = snr(alphasCumprod());
  const at = (list: ArrayLike<number>) => (t: number) => list[t] ?? NaN;
  const ofSnr = (f: (ratio: number) => number) => (t: number) => f(ratios[t] ?? NaN);
  const [base = name, parameter = ""] = name.split(/_(?:gamma)?(?=[\d.]+$)/);
  const value = Number(parameter);
  const arrays: Record<string, (t: number) => number> = {
    betas: at(betas()),
    alphas_cumprod_f32: at(alphasCumprod()),
    alphas_cumprod_f64: at(exactAlphasCumprod()),
    sigma: at(exactAlphasCumprod().map((a) => Math.sqrt((1 - a) / a))),
    snr: at(ratios),
    min_snr_weight_eps: ofSnr((s) => weights.minSnrWeight(s, value, "epsilon")),
    min_snr_weight_v: ofSnr((s) => weights.minSnrWeight(s, value, "v")),
    scale_v_pred_loss_like_noise_pred: ofSnr(weights.scaleVLossLikeNoise),
    debiased_eps: ofSnr((s) => weights.debiasedWeight(s, "epsilon")),
    debiased_v: ofSnr((s) => weights.debiasedWeight(s, "v")),
    v_pred_like_loss: ofSnr((s) => weights.vLikeLossWeight(s, value)),
    zero_terminal_snr_betas: at(zeroTerminalSnrBetas(betas())),
    zero_terminal_snr_alphas_cumprod: at(cumulativeAlphas(zeroTerminalSnrBetas(betas()))),
  };
  return arrays[base];
}

/** `snr_c0.1` → the huber threshold by timestep. */
function huberArray(name: string): (t: number) => number {
  const [schedule = "", c = ""] = name.split("_c");
  const sigmas = alphasCumprod().map((a) => Math.sqrt((1 - a) / a));
  return (t) => weights.huberThreshold(schedule as HuberSchedule, Number(c), t, sigmas[t] ?? NaN);
}

const notArrays = new Set([
  "kind",
  "description",
  "model",
  "params",
  "inputs",
  "outputs",
  "tolerance",
  "measured",
  "t",
  "huber_delta",
]);

function verifyDdpm(c: VerifyCase): VerifyOutcome {
  const timesteps = c.case["t"] as number[];
  const checks = new Checks();
  const limit = toleranceOf(c.case);
  for (const [name, expected] of Object.entries(c.case)) {
    if (notArrays.has(name)) continue;
    const of = ddpmArray(name);
    checks.that(`${name} is unknown`, of !== undefined);
    if (of) checks.close(name, timesteps.map(of), expected as number[], limit);
  }
  for (const [name, expected] of Object.entries((c.case["huber_delta"] ?? {}) as Record<string, number[]>)) {
    checks.close(`huber ${name}`, timesteps.map(huberArray(name)), expected, limit);
  }
  return checks.outcome();
}

function verifyEmbedding(c: VerifyCase): VerifyOutcome {
  const { rows } = c.case as unknown as {
    rows: { dim: number; t: number; index: number[]; value: number[] }[];
  };
  const checks = new Checks();
  for (const { dim, t, index, value } of rows) {
    const embedding = timestepEmbedding(t, dim);
    checks.close(
      `t ${t}, dim ${dim}`,
      index.map((i) => embedding[i] ?? NaN),
      value,
      toleranceOf(c.case),
    );
  }
  return checks.outcome();
}

export const kind: VerifyKind = {
  name: "schedule",
  async run(c) {
    const { what } = c.case["params"] as { what: string };
    if (what === "lr") return verifyLr(c);
    if (what === "ddpm") return verifyDdpm(c);
    if (what === "timestep-embedding") return verifyEmbedding(c);
    return { status: "skipped", detail: `schedule "${what}" is not built yet` };
  },
};
