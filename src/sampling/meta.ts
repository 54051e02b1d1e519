/** Samplers for menus, infotexts and the pipeline: plain data. */
import type { SigmaScheduleName } from "./sigmas/meta";

export type SamplerName =
  | "dpmpp_2m"
  | "dpmpp_sde"
  | "dpmpp_2m_sde"
  | "dpmpp_2m_sde_heun"
  | "dpmpp_2s_a"
  | "dpmpp_3m_sde"
  | "euler_a"
  | "euler"
  | "lms"
  | "heun"
  | "dpm2"
  | "dpm2_a"
  | "ddim"
  | "plms"
  | "unipc"
  | "lcm";

export interface SamplerMeta {
  /** The web UI's name. */
  label: string;
  /** What "Automatic" means; `own` for samplers that bring their list and take no other. */
  schedule: SigmaScheduleName | "own";
  /** Initial latents: unit noise times the first σ, or unit noise as it is. */
  start: "sigma" | "unit";
  /** What `options.noise` must be: nothing is drawn, any normals, or increments of one Brownian path. */
  noise: "none" | "normal" | "brownian";
  /** Default η; 0 where the sampler adds no noise of its own. */
  eta: number;
  /** Asks for one σ more and drops the last but one. */
  discardPenultimate: boolean;
  /** Two model calls per step: prompt schedules count double. */
  secondOrder: boolean;
}

const base: Omit<SamplerMeta, "label"> = {
  schedule: "uniform",
  start: "sigma",
  noise: "none",
  eta: 0,
  discardPenultimate: false,
  secondOrder: false,
};
const ancestral = { noise: "normal", eta: 1 } as const;
const brownian = { noise: "brownian", eta: 1 } as const;
const own = { schedule: "own", start: "unit" } as const;

/** In the web UI's order. */
export const samplerMeta: Record<SamplerName, SamplerMeta> = {
  dpmpp_2m: { ...base, label: "DPM++ 2M", schedule: "karras" },
  dpmpp_sde: { ...base, ...brownian, label: "DPM++ SDE", schedule: "karras", secondOrder: true },
  dpmpp_2m_sde: { ...base, ...brownian, label: "DPM++ 2M SDE", schedule: "exponential" },
  dpmpp_2m_sde_heun: { ...base, ...brownian, label: "DPM++ 2M SDE Heun", schedule: "exponential" },
  dpmpp_2s_a: { ...base, ...ancestral, label: "DPM++ 2S a", schedule: "karras", secondOrder: true },
  dpmpp_3m_sde: {
    ...base,
    ...brownian,
    label: "DPM++ 3M SDE",
    schedule: "exponential",
    discardPenultimate: true,
  },
  euler_a: { ...base, ...ancestral, label: "Euler a" },
  euler: { ...base, label: "Euler" },
  lms: { ...base, label: "LMS" },
  heun: { ...base, label: "Heun", secondOrder: true },
  dpm2: { ...base, label: "DPM2", schedule: "karras", discardPenultimate: true, secondOrder: true },
  dpm2_a: {
    ...base,
    ...ancestral,
    label: "DPM2 a",
    schedule: "karras",
    discardPenultimate: true,
    secondOrder: true,
  },
  ddim: { ...base, ...own, label: "DDIM", noise: "normal" },
  plms: { ...base, ...own, label: "PLMS" },
  unipc: { ...base, ...own, label: "UniPC" },
  lcm: { ...base, ...ancestral, label: "LCM" },
};
