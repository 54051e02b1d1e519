/** Asks a file's header for shapes and says which tensor is missing when it cannot answer. */
import { TensorFileError, quoted } from "../safetensors/errors";
import type { SafetensorsHeader } from "../safetensors/header";

/** More blocks, layers or levels than any Stable Diffusion model has; SDXL's second text encoder has 32 layers. */
const MAX_NUMBERED = 48;

export class Shapes {
  readonly file: string;
  readonly #header: SafetensorsHeader;

  constructor(header: SafetensorsHeader, file: string) {
    this.#header = header;
    this.file = file;
  }

  has(key: string): boolean {
    return this.#header.tensors.has(key);
  }

  hasPrefix(prefix: string): boolean {
    for (const key of this.#header.tensors.keys()) if (key.startsWith(prefix)) return true;
    return false;
  }

  /** One dimension of a tensor. @throws TensorFileError `missing-tensors`, or `shape` when it has too few. */
  dimension(key: string, axis: number): number {
    const size = this.shape(key)[axis];
    if (size !== undefined && size > 0) return size;
    throw new TensorFileError(
      "shape",
      `Tensor ${quoted(key)} of "${this.file}" has an unexpected shape.`,
      "This model has a different structure from those Weft knows.",
    );
  }

  /** @throws TensorFileError `missing-tensors` */
  shape(key: string): readonly number[] {
    const info = this.#header.tensors.get(key);
    if (info) return info.shape;
    throw missing(this.file, [key]);
  }

  /**
   * One more than the largest N among keys `prefix`N.…; 0 when there is none.
   * @throws TensorFileError `shape` for numbers that no model has: a list of all tensors is made from them
   */
  count(prefix: string): number {
    let count = 0;
    for (const key of this.#header.tensors.keys()) {
      if (!key.startsWith(prefix)) continue;
      const index = /^(\d{1,4})\./.exec(key.slice(prefix.length))?.[1];
      if (index !== undefined) count = Math.max(count, Number(index) + 1);
    }
    if (count <= MAX_NUMBERED) return count;
    throw new TensorFileError(
      "shape",
      `"${this.file}" numbers the parts ${quoted(prefix)} up to ${count - 1}.`,
      "This model has a different structure from those Weft knows.",
    );
  }
}

/** The error for absent tensors; names the first few. */
export function missing(file: string, keys: readonly string[]): TensorFileError {
  const named = keys.slice(0, 3).map((key) => quoted(key, 120));
  const more = keys.length > named.length ? ` and ${keys.length - named.length} more` : "";
  return new TensorFileError(
    "missing-tensors",
    `"${file}" lacks ${keys.length === 1 ? "the tensor" : `${keys.length} tensors:`} ${named.join(", ")}${more}.`,
    "The file is incomplete or was pruned too far. Download the full checkpoint.",
  );
}
