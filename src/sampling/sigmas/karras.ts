/** Karras et al. 2022, equation 5: equal steps in σ^(1/ρ), ρ = 7, so that most steps are at little noise. */
import { endingInZero, linspace } from "./linspace";
import type { SigmaSchedule } from "./types";

const RHO = 7;

export function karrasSigmas(steps: number, sigmaMin: number, sigmaMax: number, rho = RHO): number[] {
  return linspace(sigmaMax ** (1 / rho), sigmaMin ** (1 / rho), steps).map((root) => root ** rho);
}

export const karras: SigmaSchedule = (steps, { sigmaMin, sigmaMax }) =>
  endingInZero(karrasSigmas(steps, sigmaMin, sigmaMax));

/** The web UI's early version, with fixed ends instead of the model's. */
export const karrasOld: SigmaSchedule = (steps) => endingInZero(karrasSigmas(steps, 0.1, 10));
