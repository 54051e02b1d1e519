import { endingInZero, linspace } from "./linspace";
import type { SigmaSchedule } from "./types";

/** Equal steps in ln σ. */
export const exponential: SigmaSchedule = (steps, { sigmaMin, sigmaMax }) =>
  endingInZero(linspace(Math.log(sigmaMax), Math.log(sigmaMin), steps).map(Math.exp));

/** Equal steps in a power of ln σ; the web UI's default power is 1, where it equals `exponential`. */
export function polyexponentialWith(rho: number): SigmaSchedule {
  return (steps, { sigmaMin, sigmaMax }) => {
    const span = Math.log(sigmaMax) - Math.log(sigmaMin);
    const ramp = linspace(1, 0, steps);
    return endingInZero(ramp.map((r) => Math.exp(r ** rho * span + Math.log(sigmaMin))));
  };
}

export const polyexponential: SigmaSchedule = polyexponentialWith(1);
