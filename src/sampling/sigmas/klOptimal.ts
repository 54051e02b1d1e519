import type { SigmaSchedule } from "./types";

/**
 * Equal steps in arctan σ (Sabour et al. 2024, "Align Your Steps", theorem 3.1). As the web UI has it: steps + 1
 * values down to σ_min, and no 0 at the end.
 */
export const klOptimal: SigmaSchedule = (steps, { sigmaMin, sigmaMax }) =>
  Float32Array.from({ length: steps + 1 }, (_, i) => {
    const done = i / steps;
    return Math.tan(done * Math.atan(sigmaMin) + (1 - done) * Math.atan(sigmaMax));
  });
