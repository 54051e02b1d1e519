/** From bytes to a model: the header is read and judged, weights follow when a program asks for them. */
import type { EngineDevice } from "../engine/device";
import type { ActivationType, WeightType } from "../engine/tensor";
import type { WeightSource } from "../engine/weights";
import { detectCheckpoint, type DetectedCheckpoint } from "../formats/checkpoint/detect";
import type { ByteSource } from "../formats/safetensors/source";
import { readCheckpointTensor } from "../formats/checkpoint/tensor";
import { WeftError } from "../base/errors";
import { LoadedModel } from "./loadedModel";

export interface OpenOptions {
  readonly weightType: WeightType;
  readonly activationType: ActivationType;
}

/** Parameters above which a model is stored small: SD1.5 has a thousand million, Mini twenty million. */
export const SMALL_MODEL_PARAMETERS = 100e6;

/**
 * Opens a single-file checkpoint.
 * @param options how to store weights and activations; chosen by the model's size when absent
 * @throws WeftError when the file is damaged, incomplete or another kind of model
 */
export async function openCheckpoint(
  device: EngineDevice,
  source: ByteSource,
  options?: OpenOptions,
): Promise<LoadedModel> {
  const detected = await detectCheckpoint(source);
  const storage = options ?? storageFor(detected);
  return new LoadedModel(device, {
    ...storage,
    config: detected.config,
    source: weightSource(source, detected),
  });
}

/** Small models keep every bit; large ones are quantised to 8 bits, so that a step of SD1.5 fits into 2 GB. */
export function storageFor({ parts }: DetectedCheckpoint): OpenOptions {
  const parameters = [...parts.values()].reduce((total, part) => total + part.parameters, 0);
  return parameters < SMALL_MODEL_PARAMETERS
    ? { weightType: "f32", activationType: "f32" }
    : { weightType: "q8", activationType: "f16" };
}

/** Reads a detected checkpoint's tensors by canonical key. */
export function weightSource(source: ByteSource, { tensors }: DetectedCheckpoint): WeightSource {
  return {
    name: source.name,
    shapeOf: (key) => tensors.get(key)?.shape,
    read: async (key) => {
      const info = tensors.get(key);
      if (!info)
        throw new WeftError(
          "missing-tensors",
          `"${source.name}" lacks the tensor ${key}.`,
          "Use a full checkpoint.",
        );
      return readCheckpointTensor(source, info);
    },
  };
}
