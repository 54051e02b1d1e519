/** Writes LoRA files as sd-scripts does: alpha, lora_down and lora_up per module, metadata, both hashes. */
import { floatsToBf16, floatsToHalf } from "../../base/half";
import { writeSafetensors, type TensorToWrite } from "../safetensors/write";
import type { TrainingFacts } from "./facts";
import { loraHashes, type LoraHashes } from "./hashes";
import { modelSpec } from "./modelSpec";
import { loraShapes, type LoraModule } from "./modules";
import { trainingMetadata } from "./trainingMetadata";

/** One trained module; its rank follows from the lengths. */
export interface LoraWeights {
  readonly module: LoraModule;
  readonly alpha: number;
  /** [rank, in] or [rank, in, k, k], row-major. */
  readonly down: Float32Array;
  /** [out, rank], row-major. */
  readonly up: Float32Array;
}

export type SaveDtype = "F16" | "BF16" | "F32";

export interface WrittenLora {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hashes: LoraHashes;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * A complete LoRA file. The same weights and facts give the same bytes.
 * @param dtype of all tensors, alpha included; f16 is what every loader takes.
 */
export function writeLoraFile(
  weights: readonly LoraWeights[],
  facts: TrainingFacts,
  dtype: SaveDtype = "F16",
): Promise<WrittenLora> {
  return writeLoraTensors(
    weights.flatMap((one) => moduleTensors(one, dtype)),
    trainingMetadata(facts),
    modelSpec(facts),
  );
}

/**
 * Writes tensors with metadata and the two hashes added.
 * @param training `ss_*` keys, which the legacy hash covers.
 * @param other further keys (`modelspec.*`), which no hash covers.
 */
export async function writeLoraTensors(
  tensors: readonly TensorToWrite[],
  training: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
): Promise<WrittenLora> {
  const hashes = await loraHashes(tensors, training);
  const metadata = new Map([
    ...training,
    ...other,
    ["sshs_model_hash", hashes.model],
    ["sshs_legacy_hash", hashes.legacy],
  ]);
  return { bytes: writeSafetensors(tensors, metadata), hashes, metadata };
}

/** The three tensors of a module. */
export function moduleTensors({ module, alpha, down, up }: LoraWeights, dtype: SaveDtype): TensorToWrite[] {
  const rank = up.length / module.outFeatures;
  const shapes = loraShapes(module, rank);
  const tensor = (suffix: string, shape: readonly number[], values: Float32Array): TensorToWrite => ({
    name: `${module.name}.${suffix}`,
    dtype,
    shape,
    bytes: encode(values, dtype),
  });
  return [
    tensor("alpha", [], Float32Array.of(alpha)),
    tensor("lora_down.weight", shapes.down, down),
    tensor("lora_up.weight", shapes.up, up),
  ];
}

function encode(values: Float32Array, dtype: SaveDtype): Uint8Array {
  const encoded = dtype === "F16" ? floatsToHalf(values) : dtype === "BF16" ? floatsToBf16(values) : values;
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}
