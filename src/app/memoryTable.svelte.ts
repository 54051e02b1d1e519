/** What a training step would need with other settings than the present ones, and whether this GPU has it. */
import type { PlannedChoice, Quantisation, StepChoice } from "../workers/engine/api";
import type { EngineClient } from "../workers/engine/client";
import { fromFailure } from "../workers/failure";
import type { Dataset } from "./dataset.svelte";
import type { GpuMemory } from "./gpuMemory.svelte";
import type { KeptModels } from "./keptModels.svelte";
import type { Models } from "./models.svelte";
import type { TrainForm } from "./trainForm.svelte";

/** A row: one thing changed, and what that needs. */
export interface MemoryRow extends PlannedChoice {
  /** What is other than in the present settings; empty for those themselves. */
  readonly change: string;
  /** Cached pictures in main memory. */
  readonly cacheBytes: number;
}

/** f32 values of a picture's cached moments per latent pixel. */
const MOMENTS = 8;

interface Parts {
  engine: EngineClient;
  models: Models;
  dataset: Dataset;
  form: TrainForm;
  kept: KeptModels;
  gpuMemory: GpuMemory;
}

export class MemoryTable {
  rows = $state.raw<MemoryRow[]>([]);
  planning = $state(false);
  error = $state("");

  readonly #parts: Parts;
  #turn = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Plans the present settings first, then the alternatives, one at a time, so that the engine stays free for others. */
  async plan(): Promise<void> {
    const turn = ++this.#turn;
    const { engine, models, form } = this.#parts;
    const model = models.current;
    if (!model) return;
    this.planning = true;
    this.error = "";
    const rows: MemoryRow[] = [];
    try {
      const present = form.stepChoice(model.quantisation);
      for (const { change, choice } of alternatives(present, model.nativeSize)) {
        const [planned] = await engine.planChoices(model.id, [choice]);
        if (turn !== this.#turn) return;
        if (planned) rows.push({ ...planned, change, cacheBytes: this.#cacheBytes(choice) });
        this.rows = [...rows];
      }
    } catch (reason) {
      if (turn === this.#turn) this.error = fromFailure(reason).message;
    } finally {
      if (turn === this.#turn) this.planning = false;
    }
  }

  /** Takes as much GPU memory as the present settings need and gives it back. */
  async measure(): Promise<void> {
    try {
      await this.#parts.gpuMemory.measure(this.rows[0]?.bytes.total ?? 0);
    } catch (reason) {
      this.error = fromFailure(reason).message;
    }
  }

  /** Takes a row's settings over. @returns false when the model's file has to be picked again for its weights' form */
  async choose({ choice }: MemoryRow): Promise<boolean> {
    const { form, kept, models } = this.#parts;
    form.change("resolution", choice.resolution);
    form.change("batchSize", choice.batchSize);
    form.change("rank", choice.rank);
    form.change("trainTextEncoder", choice.trainTextEncoder);
    form.change("gradientCheckpointing", choice.recompute);
    form.change("memoryLimit", choice.memoryLimit);
    return choice.quantisation === models.current?.quantisation || kept.changeStorage(choice.quantisation);
  }

  #cacheBytes({ resolution }: StepChoice): number {
    return this.#parts.dataset.images.length * (resolution / 8) ** 2 * MOMENTS * 4;
  }
}

interface Alternative {
  readonly change: string;
  readonly choice: StepChoice;
}

/** The present choice, and what one would try to make it smaller, faster or better. */
export function alternatives(present: StepChoice, nativeSize: number): Alternative[] {
  const others = <T>(values: readonly T[], now: T) => values.filter((value) => value !== now);
  const forms: Quantisation[] =
    present.quantisation === "f32" ? [] : others(["f16", "q8", "q4"], present.quantisation);
  const sizes = [0.5, 0.75, 1, 1.5]
    .map((share) => 64 * Math.round((share * nativeSize) / 64))
    .filter((size) => size >= 64);
  return [
    { change: "", choice: present },
    ...[false, true]
      .filter((recompute) => recompute !== present.recompute || (recompute && present.memoryLimit > 0))
      .map((recompute) => ({
        change: recompute ? "compute twice" : "keep activations",
        choice: { ...present, recompute, memoryLimit: 0 },
      })),
    ...forms.map((quantisation) => ({ change: "weights", choice: { ...present, quantisation } })),
    ...others([1, 2, 4], present.batchSize).map((batchSize) => ({
      change: "batch",
      choice: { ...present, batchSize },
    })),
    ...others([...new Set(sizes)], present.resolution).map((resolution) => ({
      change: "size",
      choice: { ...present, resolution },
    })),
    ...others([8, 16, 32, 64], present.rank).map((rank) => ({
      change: "rank",
      choice: { ...present, rank },
    })),
    {
      change: "text encoder",
      choice: { ...present, trainTextEncoder: !present.trainTextEncoder },
    },
    ...(forms.length > 0
      ? [
          {
            change: "smallest",
            choice: {
              ...present,
              quantisation: "q4" as const,
              recompute: true,
              memoryLimit: 0,
              batchSize: 1,
              trainTextEncoder: false,
            },
          },
        ]
      : []),
  ];
}
