/**
 * What a latent consistency model (Luo et al. 2023) knows: every 20th timestep, and how its output is mixed with its input.
 */
import { createSigmaTable } from "../../diffusion/sigmaTable";
import type { SigmaTable } from "../../diffusion/sigmaTable";
import { exactAlphasCumprod } from "../../diffusion/noiseSchedule";

const STRIDE = 20;
/** σ_data² and the timestep scaling of the paper's boundary condition. */
const SIGMA_DATA_SQUARED = 0.25;
const TIMESTEP_SCALING = 10;

/** The table of timesteps 19, 39, …, 999; it is what schedules for `lcm` are made from. */
export function createLcmTable(alphas: ArrayLike<number> = exactAlphasCumprod()): SigmaTable {
  return createSigmaTable(Array.from(alphas).filter((_, t) => t % STRIDE === STRIDE - 1));
}

/** The model's timestep nearest to σ in ln σ. */
export function lcmTimestep(table: SigmaTable, sigma: number): number {
  return Math.round(table.sigmaToT(sigma)) * STRIDE + STRIDE - 1;
}

/** Denoised = out · (x − σ ε) + skip · x. */
export function lcmScalings(timestep: number): { skip: number; out: number } {
  const scaled = timestep * TIMESTEP_SCALING;
  const total = scaled ** 2 + SIGMA_DATA_SQUARED;
  return { skip: SIGMA_DATA_SQUARED / total, out: scaled / Math.sqrt(total) };
}
