/**
 * A checkpoint as one address space and one header, however many files it is made of: their bytes one after the other,
 * their tensors under the canonical (LDM) keys.
 */
import { readSafetensorsHeader, type SafetensorsHeader, type TensorInfo } from "../safetensors/header";
import { whole, type ByteSource } from "../safetensors/source";
import { TensorFileError, quoted } from "../safetensors/errors";
import { detectInSource, type DetectedCheckpoint } from "./detect";
import { VAE_PREFIX } from "./layout";
import type { CheckpointTensor } from "./tensor";

/** One file inside a bundle: bytes [begin, begin + size) of the bundle's source. */
export interface BundleFile {
  readonly name: string;
  readonly begin: number;
  readonly size: number;
}

export interface Bundle {
  /** For people: the file's or the folder's name. */
  readonly title: string;
  readonly source: ByteSource;
  readonly files: readonly BundleFile[];
  /** Offsets are those of `source`. */
  readonly header: SafetensorsHeader;
}

/** A checkpoint in one file. @throws TensorFileError when its header is damaged */
export async function singleFile(source: ByteSource): Promise<Bundle> {
  const header = await readSafetensorsHeader(source);
  return { title: source.name, source, files: [{ name: source.name, begin: 0, size: source.size }], header };
}

/**
 * Which model a bundle is. Only headers are read (and, for SD2 files that do not say what they predict, one bias).
 * @param vae tensors of a VAE that is kept elsewhere, in place of the bundle's own
 * @throws TensorFileError for what is incomplete or another kind of model
 */
export function detectBundle(
  { header, source, title }: Bundle,
  vae?: VaeTensors,
): Promise<DetectedCheckpoint> {
  return detectInSource(vae ? withVae(header, vae) : header, source, title);
}

/** Tensors under `first_stage_model.`, by key. */
export type VaeTensors = ReadonlyMap<string, CheckpointTensor>;

/** The header with another VAE. */
export function withVae(header: SafetensorsHeader, vae: VaeTensors): SafetensorsHeader {
  const own = [...header.tensors].filter(([key]) => !key.startsWith(VAE_PREFIX));
  return { ...header, tensors: new Map([...own, ...vae]) };
}

/** Several files' bytes, one after the other. */
export function concatenate(name: string, sources: readonly ByteSource[]): ByteSource {
  const begins = beginsOf(sources);
  const size = sources.reduce((total, source) => total + source.size, 0);
  return {
    name,
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      let filled = 0;
      for (const [index, source] of sources.entries()) {
        const at = offset + filled - (begins[index] ?? 0);
        if (at < 0 || at >= source.size || filled === length) continue;
        const part = await source.read(at, Math.min(length - filled, source.size - at));
        if (part.byteLength === length) return part;
        bytes.set(part, filled);
        filled += part.byteLength;
      }
      return whole(filled === length ? bytes : bytes.slice(0, filled), length, name);
    },
  };
}

/** Where each file begins in the concatenation. */
export function beginsOf(sources: readonly { size: number }[]): number[] {
  let at = 0;
  return sources.map(({ size }) => (at += size) - size);
}

/** A file's tensors moved to where the file begins. @throws TensorFileError `duplicate-key` */
export function shifted(
  headers: readonly { header: SafetensorsHeader; begin: number; file: string }[],
): Map<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>();
  for (const { header, begin, file } of headers) {
    for (const [key, info] of header.tensors) {
      if (tensors.has(key))
        throw new TensorFileError(
          "duplicate-key",
          `${quoted(key, 120)} is in two parts of the same model; the second is "${file}".`,
          "Keep one variant of the part in the folder.",
        );
      tensors.set(key, { ...info, begin: info.begin + begin, end: info.end + begin });
    }
  }
  return tensors;
}
