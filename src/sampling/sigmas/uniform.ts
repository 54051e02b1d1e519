import { endingInZero, linspace } from "./linspace";
import type { SigmaSchedule } from "./types";

/** Equal steps in (fractional) time, both ends included. "Automatic" and "Normal" give the same list. */
export const uniform: SigmaSchedule = (steps, table) =>
  endingInZero(linspace(table.sigmas.length - 1, 0, steps).map(table.tToSigma));

/** Equal steps in time without the lowest noise level (Stability's generative-models). */
export const sgmUniform: SigmaSchedule = (steps, table) =>
  endingInZero(
    linspace(table.sigmas.length - 1, 0, steps + 1)
      .slice(0, -1)
      .map(table.tToSigma),
  );
