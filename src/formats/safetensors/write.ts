/**
 * Writes safetensors files byte for byte as the reference writer does: tensors sorted by type (widest first)
 * and then by name, header without spaces, `__metadata__` first, padded with spaces to a multiple of 8.
 */
import { invariant } from "../../base/errors";
import { dtypeBits, writeRank, type Dtype } from "./dtype";

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

/** The two halves of a file; the hashes of LoRA files are over the data part alone. */
export interface SafetensorsParts {
  /** Length field and JSON, padded. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** Tensor bytes in file order, views of the caller's arrays. */
  readonly data: readonly Uint8Array[];
}

/**
 * Lays out a file without joining it.
 * Metadata keys are written in the order given; the same input gives the same bytes.
 */
export function layoutSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: ReadonlyMap<string, string>,
): SafetensorsParts {
  const sorted = [...tensors].sort(byTypeThenName);
  const entries: string[] = [];
  if (metadata.size > 0) entries.push(`"__metadata__":${metadataJson(metadata)}`);
  let offset = 0;
  for (const { name, dtype, shape, bytes } of sorted) {
    checkLength(name, dtype, shape, bytes);
    const range = `[${offset},${(offset += bytes.byteLength)}]`;
    entries.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":${range}}`,
    );
  }
  return { header: headerBytes(`{${entries.join(",")}}`), data: sorted.map((tensor) => tensor.bytes) };
}

/** A whole file in one buffer. For files that fit in memory: LoRAs, small models. */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const { header, data } = layoutSafetensors(tensors, metadata);
  const total = data.reduce((sum, bytes) => sum + bytes.byteLength, header.byteLength);
  const file = new Uint8Array(total);
  file.set(header);
  let offset = header.byteLength;
  for (const bytes of data) {
    file.set(bytes, offset);
    offset += bytes.byteLength;
  }
  return file;
}

function byTypeThenName(a: TensorToWrite, b: TensorToWrite): number {
  return writeRank(a.dtype) - writeRank(b.dtype) || compareUtf8(a.name, b.name);
}

/** Order of the UTF-8 bytes, which JavaScript's UTF-16 order equals but for characters above U+FFFF. */
function compareUtf8(a: string, b: string): number {
  const x = [...a].map(codePoint);
  const y = [...b].map(codePoint);
  const at = x.findIndex((point, i) => point !== y[i]);
  if (at === -1) return x.length - y.length;
  return (x[at] ?? 0) - (y[at] ?? -1);
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function metadataJson(metadata: ReadonlyMap<string, string>): string {
  const pairs = [...metadata].map(([key, value]) => `${jsonText(key)}:${jsonText(value)}`);
  return `{${pairs.join(",")}}`;
}

/** A JSON string; half surrogate pairs, which other readers refuse, become the replacement character. */
function jsonText(text: string): string {
  return JSON.stringify(text.replace(/\p{Cs}/gu, "\ufffd"));
}

function headerBytes(json: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.byteLength / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

function checkLength(name: string, dtype: Dtype, shape: readonly number[], bytes: Uint8Array): void {
  const expected = shape.reduce((product, size) => product * size, dtypeBits(dtype)) / 8;
  invariant(
    expected === bytes.byteLength,
    () => `tensor ${name} has ${bytes.byteLength} bytes, not ${expected}`,
  );
}
