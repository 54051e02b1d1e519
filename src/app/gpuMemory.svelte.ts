/** How much memory the GPU has, as far as anyone can tell, and whether a step fits into it. WebGPU itself says nothing. */
import { usableBytes } from "../base/gpuShare";
import type { PlannedChoice } from "../workers/engine/api";
import type { EngineClient } from "../workers/engine/client";
import type { KeptModels } from "./keptModels.svelte";
import type { Models } from "./models.svelte";

export type Fit = "fits" | "too-big" | "unknown";

interface Parts {
  engine: EngineClient;
  models: Models;
  kept: KeptModels;
}

export class GpuMemory {
  /** Bytes that were taken and given back by {@link measure}; 0: not tried. */
  measured = $state(0);
  /** Bytes asked for in that try. */
  asked = $state(0);

  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Bytes a step may take; 0: nobody knows. What could not be had in a try counts more than what the person said. */
  get limit(): number {
    if (this.asked > this.measured) return this.measured;
    return Math.max(this.measured, usableBytes(this.#parts.kept.choices.memory * 2 ** 30));
  }

  fit({ bytes, largestBinding }: Pick<PlannedChoice, "bytes" | "largestBinding">): Fit {
    const { maxBindingSize = 0 } = this.#parts.models.report ?? {};
    if (maxBindingSize > 0 && largestBinding > maxBindingSize) return "too-big";
    if (this.measured >= bytes.total) return "fits";
    const isKnown = this.#parts.kept.choices.memory > 0 || this.asked > this.measured;
    if (!isKnown) return "unknown";
    return bytes.total <= this.limit ? "fits" : "too-big";
  }

  /** Takes so many bytes of GPU memory and gives them back. */
  async measure(bytes: number): Promise<void> {
    this.measured = await this.#parts.engine.tryMemory(bytes);
    this.asked = bytes;
  }
}
