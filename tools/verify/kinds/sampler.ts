/** `sampler`: sigma lists, trajectories of every sampler on a closed-form denoiser, LCM tables. */
import { createSigmaTable } from "../../../src/diffusion/sigmaTable";
import { samplers } from "../../../src/sampling";
import type { SamplerName } from "../../../src/sampling/meta";
import { sigmaSchedules } from "../../../src/sampling/sigmas";
import { createLcmTable, lcmScalings, lcmTimestep } from "../../../src/sampling/sigmas/lcmTable";
import type { SigmaScheduleName } from "../../../src/sampling/sigmas/meta";
import { ddimSigmas, unipcSigmas } from "../../../src/sampling/sigmas/unitVariance";
import type { DenoiseModel, SamplerStep } from "../../../src/sampling/types";
import { WeftError } from "../../../src/base/errors";
import { Checks, toleranceOf } from "../compare";
import type { GoldenTensor, VerifyCase, VerifyKind, VerifyOutcome } from "../types";

interface SamplerParams {
  what: string;
  sampler: string;
  scheduler: string;
  steps: number;
  eta?: number;
  solver_type?: string;
  noise_calls?: [number, number][];
  timesteps?: number[];
}

/** The reference's function names. */
const samplerNames: Record<string, SamplerName> = {
  sample_euler: "euler",
  sample_euler_ancestral: "euler_a",
  sample_heun: "heun",
  sample_dpm_2: "dpm2",
  sample_dpm_2_ancestral: "dpm2_a",
  sample_lms: "lms",
  sample_dpmpp_2m: "dpmpp_2m",
  sample_dpmpp_sde: "dpmpp_sde",
  sample_dpmpp_2m_sde: "dpmpp_2m_sde",
  sample_dpmpp_2s_ancestral: "dpmpp_2s_a",
  sample_dpmpp_3m_sde: "dpmpp_3m_sde",
  sample_lcm: "lcm",
  ddim: "ddim",
  "ddim-diffusers": "ddim",
  plms: "plms",
  unipc: "unipc",
};

const scheduleNames: Record<string, SigmaScheduleName> = { automatic: "uniform" };

/** Timesteps are compared with an absolute limit. */
const TIMESTEP_LIMIT = { rel: 0, abs: 0.01 };

function verifySigmas(c: VerifyCase): VerifyOutcome {
  const { rows, sigma_to_t, t_to_sigma } = c.case as unknown as {
    rows: { scheduler: string; steps: number; sigmas: number[] }[];
    sigma_to_t: { sigma: number[]; t: number[] };
    t_to_sigma: { sigma: number[]; t: number[] };
  };
  const checks = new Checks();
  const limit = toleranceOf(c.case);
  const table = createSigmaTable();
  for (const { scheduler, steps, sigmas } of rows) {
    const name = scheduleNames[scheduler] ?? scheduler;
    if (!Object.hasOwn(sigmaSchedules, name))
      return { status: "skipped", detail: `schedule ${scheduler} is not built yet` };
    const list = sigmaSchedules[name as SigmaScheduleName](steps, table);
    checks.close(`${scheduler} ${steps}`, list, sigmas, limit);
  }
  checks.close("sigma to t", sigma_to_t.sigma.map(table.sigmaToT), sigma_to_t.t, TIMESTEP_LIMIT);
  checks.close("t to sigma", t_to_sigma.t.map(table.tToSigma), t_to_sigma.sigma, limit);
  return checks.outcome();
}

function verifyLcmTables(c: VerifyCase): VerifyOutcome {
  const { rows, scalings } = c.case as unknown as {
    rows: { steps: number; sigmas: number[] }[];
    scalings: { sigma: number; t: number; c_skip: number; c_out: number }[];
  };
  const checks = new Checks();
  const limit = toleranceOf(c.case);
  const table = createLcmTable();
  for (const { steps, sigmas } of rows)
    checks.close(`${steps} steps`, sigmaSchedules.uniform(steps, table), sigmas, limit);
  for (const { sigma, t, c_skip, c_out } of scalings) {
    const timestep = lcmTimestep(table, sigma);
    checks.equal(`t of ${sigma}`, timestep, t);
    const { skip, out } = lcmScalings(timestep);
    checks.close(`scalings of ${sigma}`, [skip, out], [c_skip, c_out], { rel: limit.rel, abs: 0 });
  }
  return checks.outcome();
}

/** The golden denoiser D(x, s) = mean + (x − mean) sd² / (s² + sd²) + 0.1 sin(x) / (1 + s), sd = 0.7. */
function closedFormDenoiser(mean: ArrayLike<number>): DenoiseModel {
  const variance = 0.7 ** 2;
  return async (x, s) =>
    x.map((v, i) => {
      const m = mean[i] ?? 0;
      return m + ((v - m) * variance) / (s * s + variance) + (0.1 * Math.sin(v)) / (1 + s);
    });
}

/** Hands out the golden noise in order; the requested levels must be the recorded ones. */
function noiseTape(
  noise: GoldenTensor | undefined,
  calls: [number, number][] | undefined,
  size: number,
  checks: Checks,
) {
  let call = 0;
  return (sigma: number, sigmaNext: number): Float32Array => {
    const data = noise?.data;
    if (!(data instanceof Float32Array) || data.length < (call + 1) * size) {
      throw new WeftError("noise", `noise request ${call} is not in the golden data`);
    }
    if (calls)
      checks.close(`noise request ${call}`, [sigma, sigmaNext], calls[call] ?? [], { rel: 1e-5, abs: 1e-6 });
    return data.slice(call * size, ++call * size);
  };
}

/** The noise levels of a case: given, or made from its timesteps as the sampler itself would. */
function sigmasOf(params: SamplerParams, tensors: Map<string, GoldenTensor>): Float32Array {
  const given = tensors.get("sigmas");
  if (given) return Float32Array.from(given.data);
  const table = createSigmaTable();
  if (params.sampler === "unipc") return unipcSigmas(params.steps, table);
  if (params.sampler === "ddim" || params.sampler === "plms") return ddimSigmas(params.steps, table);
  return Float32Array.from([...(params.timesteps ?? []), 0], (t) => table.sigmas[t] ?? NaN); // diffusers: down to ᾱ_0
}

async function verifyTrajectory(c: VerifyCase, params: SamplerParams): Promise<VerifyOutcome> {
  const heun = params.sampler === "sample_dpmpp_2m_sde" && params.solver_type === "heun";
  const name = heun ? "dpmpp_2m_sde_heun" : samplerNames[params.sampler];
  if (!name) return { status: "skipped", detail: `sampler ${params.sampler} is not built yet` };
  const tensors = await c.tensors();
  const data = (key: string) => tensors.get(key)?.data ?? [];
  const start = Float32Array.from(data("x_init"));
  const checks = new Checks();
  const seen: SamplerStep[] = [];
  const noise = noiseTape(tensors.get("noise"), params.noise_calls, start.length, checks);
  const options = { noise, ...(params.eta === undefined ? {} : { eta: params.eta }) };
  const model = closedFormDenoiser(data("mean"));
  const final = await samplers[name](
    model,
    start,
    sigmasOf(params, tensors),
    options,
    (s) => void seen.push(s),
  );
  const limit = toleranceOf(c.case);
  const all = (parts: Float32Array[]) => parts.flatMap((part) => [...part]);
  const before = seen.map((s) => s.x);
  if (tensors.has("x_before_step")) checks.close("x_before_step", all(before), data("x_before_step"), limit);
  if (tensors.has("denoised"))
    checks.close("denoised", all(seen.map((s) => s.denoised)), data("denoised"), limit);
  const comparesAfter = tensors.has("x_after_step") && name !== "unipc"; // there the callback sees the uncorrected latents
  if (comparesAfter)
    checks.close("x_after_step", all([...before.slice(1), final]), data("x_after_step"), limit);
  checks.close("x_final", final, data("x_final"), limit);
  return checks.outcome();
}

export const kind: VerifyKind = {
  name: "sampler",
  async run(c) {
    const params = c.case["params"] as SamplerParams;
    if (params.what === "sigmas") return verifySigmas(c);
    if (params.what === "lcm-tables") return verifyLcmTables(c);
    return verifyTrajectory(c, params);
  },
};
