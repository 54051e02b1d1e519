/** How the weights of a model are kept when the person leaves it to us. */
import { usableBytes } from "../../base/gpuShare";
import { GPU_POLICY } from "../../engine/policy";
import type { CheckpointConfig } from "../../formats/checkpoint/config";
import { familyNamed } from "../../models";
import { SMALL_MODEL_PARAMETERS } from "../../models/openCheckpoint";
import type { Quantisation } from "../engine/api";
import { planStep } from "../engine/planStep";

/** With this much room to spare weights are not quantised at all. */
const PLENTY = 2;

/**
 * Small models keep every bit. Large ones get 8 bits, unless the memory that the person named is too small for that
 * even when activations are computed twice (then 4: that costs more precision than time), or more than enough for halves.
 * @param memory bytes of GPU memory, where the person told them
 */
export function chooseStorage(
  config: CheckpointConfig,
  parts: ReadonlyMap<string, { parameters: number }>,
  memory: number | undefined,
): Quantisation {
  const nativeSize = familyNamed(config.family).nativeSize(config);
  const parameters = [...parts.values()].reduce((total, part) => total + part.parameters, 0);
  if (parameters < SMALL_MODEL_PARAMETERS) return "f32";
  if (memory === undefined) return "q8";
  const needed = (quantisation: Quantisation, recompute: boolean) =>
    planStep(
      config,
      {
        ...{ quantisation, resolution: nativeSize, batchSize: 1, rank: 16 },
        ...{ trainTextEncoder: false, clipSkip: 1, recompute, memoryLimit: 0 },
      },
      GPU_POLICY,
    ).plan.bytes.total;
  if (PLENTY * needed("f16", false) < usableBytes(memory)) return "f16";
  return needed("q8", true) < usableBytes(memory) ? "q8" : "q4";
}
