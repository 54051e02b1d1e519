/**
 * Per-sample loss weights by timestep, as functions of the signal-to-noise ratio. Names and formulas are the
 * trainer's options; the ratio is that of the original schedule even under zero-terminal-SNR.
 */
import type { PredictionName } from "./prediction";

/** From here on the ratio counts as this in the weights below: t = 0 would dominate otherwise. */
const SNR_LIMIT = 1000;

/** `min_snr_gamma` (Hang et al. 2023). 0 turns it off, as in the trainer. */
export function minSnrWeight(snr: number, gamma: number, prediction: PredictionName): number {
  if (gamma === 0) return 1;
  return Math.min(snr, gamma) / (prediction === "v" ? snr + 1 : snr);
}

/** `scale_v_pred_loss_like_noise_pred`. */
export function scaleVLossLikeNoise(snr: number): number {
  const limited = Math.min(snr, SNR_LIMIT);
  return limited / (limited + 1);
}

/** `debiased_estimation_loss` (Yu et al. 2023). */
export function debiasedWeight(snr: number, prediction: PredictionName): number {
  const limited = Math.min(snr, SNR_LIMIT);
  return prediction === "v" ? 1 / (limited + 1) : 1 / Math.sqrt(limited);
}

/** `v_pred_like_loss` k: the noise loss plus k times what it would be as a v loss. */
export function vLikeLossWeight(snr: number, k: number): number {
  const limited = Math.min(snr, SNR_LIMIT);
  return 1 + (k * (limited + 1)) / limited;
}

export type HuberSchedule = "constant" | "exponential" | "snr";

/**
 * The threshold c of the huber and smooth-L1 losses at a timestep.
 * @param huberC its value at the noisy end; @param sigma σ of timestep t.
 */
export function huberThreshold(
  schedule: HuberSchedule,
  huberC: number,
  t: number,
  sigma: number,
  scale = 1,
): number {
  if (schedule === "constant") return huberC * scale;
  if (schedule === "exponential") return Math.exp((t * Math.log(huberC)) / 1000) * scale;
  return (1 - huberC) / (1 + sigma) ** 2 + huberC; // the trainer applies no scale here
}
