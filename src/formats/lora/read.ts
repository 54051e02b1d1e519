/** Reads the values of LoRA modules. */
import type { CheckpointConfig } from "../checkpoint/config";
import { TensorFileError, quoted } from "../safetensors/errors";
import { readSafetensorsHeader } from "../safetensors/header";
import type { ByteSource } from "../safetensors/source";
import { readTensor } from "../safetensors/tensor";
import { matchLora, type LoraWarning, type MatchedModule } from "./match";
import type { LoraTarget } from "./modules";
import type { LoraKind } from "./parse";

export interface LoraTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** One module with its values as float32. */
export interface LoadedModule {
  readonly name: string;
  readonly kind: LoraKind;
  readonly target: LoraTarget;
  /** As written in the file, or null; what that means depends on the kind (LoRA: alpha = rank). */
  readonly alpha: number | null;
  /** All tensors but alpha, by name below the module. */
  readonly tensors: ReadonlyMap<string, LoraTensor>;
}

export interface LoadedLora {
  readonly modules: readonly LoadedModule[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly warnings: readonly LoraWarning[];
}

/**
 * Loads a LoRA for a base model.
 * @throws TensorFileError whatever is wrong with the file (see header.ts and match.ts), `nan` for values that
 *   are no finite numbers.
 */
export async function readLora(source: ByteSource, base: CheckpointConfig): Promise<LoadedLora> {
  const header = await readSafetensorsHeader(source);
  const { modules, metadata, warnings } = matchLora(header, base, source.name);
  const loaded: LoadedModule[] = [];
  for (const module of modules) loaded.push(await readModule(source, module));
  return { modules: loaded, metadata, warnings };
}

async function readModule(source: ByteSource, { entry, target }: MatchedModule): Promise<LoadedModule> {
  const tensors = new Map<string, LoraTensor>();
  for (const [name, info] of entry.tensors) {
    const data = await readTensor(source, info, "f32");
    if (!data.every(Number.isFinite)) refuseNan(info.name, source.name);
    tensors.set(name, { shape: info.shape, data });
  }
  const alpha = tensors.get("alpha")?.data[0] ?? null;
  tensors.delete("alpha");
  return { name: entry.name, kind: entry.kind, target, alpha, tensors };
}

function refuseNan(tensor: string, file: string): never {
  throw new TensorFileError(
    "nan",
    `Tensor ${quoted(tensor, 120)} of "${file}" contains values that are not numbers (NaN or infinity).`,
    "Its training broke down. Use an earlier epoch of this LoRA.",
  );
}
