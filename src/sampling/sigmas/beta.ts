/** Beta schedules (Lee et al. 2024): more steps at both ends. α = β = 0.6. */
import { betaQuantile } from "./betaQuantile";
import { endingInZero, linspace } from "./linspace";
import type { SigmaSchedule } from "./types";

const ALPHA = 0.6;
const BETA = 0.6;

/** The web UI's: quantiles scaled to the range of σ. */
export const beta: SigmaSchedule = (steps, { sigmaMin, sigmaMax }) => {
  const quantiles = linspace(1, 0, steps).map((p) => betaQuantile(p, ALPHA, BETA));
  return endingInZero(quantiles.map((q) => sigmaMin + q * (sigmaMax - sigmaMin)));
};

/** The median lands on 499.5 give or take the quantile's last bits; it counts as exactly that. */
function roundHalfUp(value: number): number {
  return Math.floor(value + 0.5 + 1e-9);
}

/** ComfyUI's: quantiles rounded to whole timesteps, repeated ones dropped; may give fewer steps than asked for. */
export const betaComfy: SigmaSchedule = (steps, { sigmas }) => {
  const quantiles = Array.from({ length: steps }, (_, i) => betaQuantile(1 - i / steps, ALPHA, BETA));
  const timesteps = new Set(quantiles.map((q) => roundHalfUp(q * (sigmas.length - 1))));
  return endingInZero([...timesteps].map((t) => sigmas[t] ?? 0));
};
