/** From bytes to a model: the header is read and judged, weights follow when a program asks for them. */
import type { EngineDevice } from "../engine/device";
import type { ActivationType, WeightType } from "../engine/tensor";
import type { WeightSource } from "../engine/weights";
import { detectCheckpoint, type DetectedCheckpoint } from "../formats/checkpoint/detect";
import type { ByteSource } from "../formats/safetensors/source";
import { readTensor } from "../formats/safetensors/tensor";
import { WeftError } from "../base/errors";
import { LoadedModel } from "./loadedModel";

export interface OpenOptions {
  readonly weightType: WeightType;
  readonly activationType: ActivationType;
}

/**
 * Opens a single-file checkpoint.
 * @throws WeftError when the file is damaged, incomplete or another kind of model
 */
export async function openCheckpoint(device: EngineDevice, source: ByteSource, options: OpenOptions): Promise<LoadedModel> {
  const detected = await detectCheckpoint(source);
  return new LoadedModel(device, { ...options, config: detected.config, source: weightSource(source, detected) });
}

/** Reads a detected checkpoint's tensors by canonical key. */
export function weightSource(source: ByteSource, { tensors }: DetectedCheckpoint): WeightSource {
  return {
    name: source.name,
    shapeOf: (key) => tensors.get(key)?.shape,
    read: async (key) => {
      const info = tensors.get(key);
      if (!info) throw new WeftError("missing-tensors", `"${source.name}" lacks the tensor ${key}.`, "Use a full checkpoint.");
      return readTensor(source, info, "f32");
    },
  };
}
