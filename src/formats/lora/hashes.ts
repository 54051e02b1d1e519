/** The hashes by which LoRA tools know a file. */
import { createSHA256 } from "hash-wasm";
import { layoutSafetensors, type TensorToWrite } from "../safetensors/write";
import type { ByteSource } from "../safetensors/source";

export interface LoraHashes {
  /** `sshs_model_hash`: SHA-256 of the tensor data; also Civitai's AutoV3 and the web UI's "addnet hash". */
  readonly model: string;
  /** `sshs_legacy_hash`: 8 hex digits. */
  readonly legacy: string;
}

/** The legacy hash covers this range of the file as it would be with the training metadata alone. */
const LEGACY_OFFSET = 0x100000;
const LEGACY_LENGTH = 0x10000;

/**
 * Both hashes of a LoRA about to be written.
 * @param metadata only its `ss_*` keys count: editors may change the rest without changing the hashes.
 */
export async function loraHashes(
  tensors: readonly TensorToWrite[],
  metadata: ReadonlyMap<string, string>,
): Promise<LoraHashes> {
  const training = new Map([...metadata].filter(([key]) => key.startsWith("ss_")));
  const { header, data } = layoutSafetensors(tensors, training);
  const legacy = slice([header, ...data], LEGACY_OFFSET, LEGACY_LENGTH);
  return { model: await sha256(data), legacy: (await sha256(legacy)).slice(0, 8) };
}

/** SHA-256 of the concatenation, hex. */
export async function sha256(pieces: Iterable<Uint8Array>): Promise<string> {
  const hasher = await createSHA256();
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest("hex");
}

/** The bytes [offset, offset + length) of a concatenation, as views; fewer when it ends before. */
function* slice(pieces: Iterable<Uint8Array>, offset: number, length: number): Generator<Uint8Array> {
  let begin = 0;
  for (const piece of pieces) {
    const from = Math.max(offset - begin, 0);
    const to = Math.min(offset + length - begin, piece.byteLength);
    if (from < to) yield piece.subarray(from, to);
    begin += piece.byteLength;
  }
}

export interface FileHashes {
  /** SHA-256 of the whole file. */
  readonly sha256: string;
  /** First 10 hex digits of it: the web UI's and Civitai's AutoV2. */
  readonly autoV2: string;
  /** First 12 hex digits of the hash of everything after the header: AutoV3. */
  readonly autoV3: string;
}

/** Bytes read at a time: large enough to be fast, small enough to stay unnoticed in memory. */
const BLOCK = 4 * 1024 * 1024;

/**
 * Hashes a file of any size in one pass.
 * @param dataStart where the tensor data begins (`SafetensorsHeader.dataStart`).
 */
export async function fileHashes(source: ByteSource, dataStart: number): Promise<FileHashes> {
  const whole = await createSHA256();
  const data = await createSHA256();
  for (let at = 0; at < source.size; at += BLOCK) {
    const bytes = await source.read(at, Math.min(BLOCK, source.size - at));
    whole.update(bytes);
    if (at + bytes.byteLength > dataStart) data.update(bytes.subarray(Math.max(dataStart - at, 0)));
  }
  const sha = whole.digest("hex");
  return { sha256: sha, autoV2: sha.slice(0, 10), autoV3: data.digest("hex").slice(0, 12) };
}
