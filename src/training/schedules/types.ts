/** The one shape every learning-rate schedule has. */

export interface LrScheduleOptions {
  /** The base rate the schedule multiplies. */
  lr: number;
  /** Optimizer steps of the whole run (not scaled by gradient accumulation). */
  totalSteps: number;
  /** Steps of the linear rise from 0; the very first update then has rate 0. */
  warmupSteps: number;
  /** Restarts, or cosine periods where the schedule has them; 1 when unset. */
  numCycles?: number;
  /** Exponent of `polynomial`; 1 when unset. */
  power?: number;
  /** Rate at the end as a share of the base rate; 0 when unset. */
  minLrRatio?: number;
  /** Length of the final decay of `warmup_stable_decay`; 0 when unset. */
  decaySteps?: number;
  /** Time constant of `inverse_sqrt`; the warm-up's length or 10 000 when unset. */
  timescale?: number;
}

/** @param step 0-based optimizer step. @returns what to multiply the base rate with. */
export type LrSchedule = (step: number, options: LrScheduleOptions) => number;
