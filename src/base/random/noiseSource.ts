/** What samplers draw their noise from: one generator per image, as in the web UI. */
import { createNvNoise } from "./nvNoise";
import { TorchGenerator } from "./torchGenerator";

export interface NoiseSource {
  /** The next `count` unit normals of this generator, row-major for whatever shape the caller has. */
  randn(count: number): Float32Array;
}

/** The web UI's "Random number generator source": CUDA's numbers, or torch's CPU numbers. */
export type NoiseSourceKind = "NV" | "CPU";

/** @param seed a safe integer ≥ 0. */
export function createNoiseSource(kind: NoiseSourceKind, seed: number): NoiseSource {
  return kind === "NV" ? createNvNoise(seed) : new TorchGenerator(seed);
}
