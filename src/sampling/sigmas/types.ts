/** The one shape every sigma schedule has. */
import type { SigmaTable } from "../../diffusion/sigmaTable";

/**
 * @param steps number of steps, ≥ 1.
 * @param table the model's noise levels.
 * @returns descending σ, from about σ_max; most end with 0, and a sampler takes one step per pair.
 */
export type SigmaSchedule = (steps: number, table: SigmaTable) => Float32Array;
