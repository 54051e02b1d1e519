/**
 * Walks a PNG's chunks: 8 bytes of signature, then length (u32 big-endian), type, data and CRC of every chunk.
 * Reads only chunk heads and the chunks asked for, so pixel data is never loaded.
 */
import type { ByteSource } from "../safetensors/source";
import { PngError } from "./errors";

export interface PngChunk {
  /** Four letters, e.g. `IHDR`, `tEXt`. */
  readonly type: string;
  /** Absolute offset of the data. */
  readonly offset: number;
  readonly length: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Length, type and CRC around the data. */
const OVERHEAD = 12;
/** More chunks than any real image has. */
const MAX_CHUNKS = 100_000;

/**
 * Every chunk up to and including IEND.
 * @throws PngError when the signature is absent, a chunk reaches beyond the file, or IEND never comes.
 */
export async function* pngChunks(source: ByteSource): AsyncGenerator<PngChunk> {
  await checkSignature(source);
  let at = SIGNATURE.length;
  for (let i = 0; i < MAX_CHUNKS; i++) {
    if (at + OVERHEAD > source.size) throw new PngError(source.name, "it is cut off");
    const head = new DataView((await source.read(at, 8)).buffer);
    const chunk = { type: typeName(head), offset: at + 8, length: head.getUint32(0) };
    if (chunk.offset + chunk.length + 4 > source.size)
      throw new PngError(source.name, `its ${chunk.type} part is cut off`);
    yield chunk;
    if (chunk.type === "IEND") return;
    at += OVERHEAD + chunk.length;
  }
  throw new PngError(source.name, "it has too many parts");
}

async function checkSignature(source: ByteSource): Promise<void> {
  const head = source.size >= SIGNATURE.length ? await source.read(0, SIGNATURE.length) : new Uint8Array();
  if (!SIGNATURE.every((byte, i) => head[i] === byte))
    throw new PngError(source.name, "it does not begin like one");
}

function typeName(head: DataView): string {
  const letters = [4, 5, 6, 7].map((i) => String.fromCharCode(head.getUint8(i))).join("");
  return /^[A-Za-z]{4}$/.test(letters) ? letters : "????";
}

/** A whole chunk: length, type, data, CRC. */
export function encodeChunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OVERHEAD + data.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.byteLength);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.byteLength, crc32(bytes.subarray(4, 8 + data.byteLength)));
  return bytes;
}

/** CRC-32 as PNG defines it (reflected polynomial 0xEDB88320). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
