/** How the weights of a model are kept when the person leaves it to us. */
import { GPU_POLICY } from "../../engine/policy";
import type { CheckpointConfig } from "../../formats/checkpoint/config";
import { familyNamed } from "../../models";
import { SMALL_MODEL_PARAMETERS } from "../../models/openCheckpoint";
import type { Quantisation } from "../engine/api";
import { planStep } from "../engine/planStep";

/** Share of a GPU's memory that one page may count on: the desktop and the browser have theirs. */
const USABLE = 0.8;
/** With this much room to spare weights are not quantised at all. */
const PLENTY = 2;

/**
 * Small models keep every bit. Large ones get 8 bits, unless the memory that the person named is too small for that
 * (then 4) or more than enough for halves.
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
  const needed = (quantisation: Quantisation) =>
    planStep(
      config,
      {
        ...{ quantisation, resolution: nativeSize, batchSize: 1, rank: 16 },
        ...{ trainTextEncoder: false, clipSkip: 1, recompute: quantisation === "q4" },
      },
      GPU_POLICY,
    ).bytes.total;
  if (PLENTY * needed("f16") < USABLE * memory) return "f16";
  return needed("q8") < USABLE * memory ? "q8" : "q4";
}
