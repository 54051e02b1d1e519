/** The noise levels of the samplers that bring their own list (DDIM, PLMS, UniPC): none of them ends in 0. */
import { linspace } from "./linspace";
import type { SigmaSchedule } from "./types";

/** Timesteps 1, 1 + k, 1 + 2k, … (k = ⌊1000 / steps⌋) descending. One step fewer than there are timesteps. */
export const ddimSigmas: SigmaSchedule = (steps, { sigmas }) => {
  const stride = Math.max(Math.floor(sigmas.length / steps), 1);
  const count = Math.ceil(sigmas.length / stride);
  const timesteps = Array.from({ length: count }, (_, i) => Math.min(i * stride + 1, sigmas.length - 1));
  return Float32Array.from(timesteps.reverse(), (t) => sigmas[t] ?? 0);
};

/** Equal steps in time from 999 to 0, ln √ᾱ interpolated (the others interpolate ln σ). */
export const unipcSigmas: SigmaSchedule = (steps, { sigmas }) => {
  const logSignal = (t: number) => -0.5 * Math.log1p((sigmas[t] ?? 0) ** 2);
  return Float32Array.from(linspace(sigmas.length - 1, 0, steps + 1), (t) => {
    const low = Math.min(Math.floor(t), sigmas.length - 2);
    const log = logSignal(low) + (t - low) * (logSignal(low + 1) - logSignal(low));
    return Math.sqrt(Math.expm1(-2 * log));
  });
};
