/**
 * The file a cached model lies in, append-only but for its first line:
 *
 * | bytes | what |
 * | --- | --- |
 * | 0 … 4095 | the seal: zeros while the import runs; then where the index is, and its checksum |
 * | then | records, each `{length of meta, length of data, checksum of meta}`, meta (JSON), data |
 *
 * The first record says what is being imported, the last is the index of all tensors, those between are chunks: the
 * packed rows of about 8 MiB of the checkpoint, a checksum for each piece, and the state of the hash after them. A
 * model exists when its seal is there and matches; until then the records are the journal from which an interrupted
 * import goes on.
 */
import { xxhash64 } from "hash-wasm";
import type { RandomFile } from "../storage/randomFile";

export const SEAL_BYTES = 4096;
const MAGIC = "weft-model-1\n";
/** Two lengths as 64-bit floats, 16 hex digits of the meta's checksum. */
const RECORD_HEAD = 32;
/** Larger metas are damage: the largest real one is SDXL's index with 300 KB. */
const MAX_META = 64 << 20;

export interface RecordMark {
  /** Text as stored; parsed by whoever knows its schema. */
  readonly meta: string;
  readonly dataAt: number;
  readonly dataBytes: number;
  /** Where the next record begins. */
  readonly end: number;
}

/** Checksum of stored bytes: fast, against torn writes and rot, not against malice. */
export function checksum(bytes: Uint8Array | string): Promise<string> {
  return xxhash64(bytes);
}

/** Writes a record at `at` without flushing. @returns where it ends */
export async function writeRecord(
  file: RandomFile,
  at: number,
  meta: unknown,
  data: readonly Uint8Array[] = [],
): Promise<number> {
  const text = new TextEncoder().encode(JSON.stringify(meta));
  const dataBytes = data.reduce((total, { byteLength }) => total + byteLength, 0);
  const head = new Uint8Array(RECORD_HEAD);
  const view = new DataView(head.buffer);
  view.setFloat64(0, text.byteLength);
  view.setFloat64(8, dataBytes);
  head.set(new TextEncoder().encode(await checksum(text)), 16);
  let position = at;
  for (const bytes of [head, text, ...data]) {
    file.write(position, bytes);
    position += bytes.byteLength;
  }
  return position;
}

/** The record at `at`; undefined when the file ends there or holds something else. */
export async function readRecord(
  read: (at: number, length: number) => Uint8Array | Promise<Uint8Array>,
  size: number,
  at: number,
): Promise<RecordMark | undefined> {
  if (at + RECORD_HEAD > size) return undefined;
  const head = await read(at, RECORD_HEAD);
  if (head.byteLength < RECORD_HEAD) return undefined;
  const view = new DataView(head.buffer, head.byteOffset);
  const metaBytes = view.getFloat64(0);
  const dataBytes = view.getFloat64(8);
  if (!isLength(metaBytes) || metaBytes > MAX_META || !isLength(dataBytes)) return undefined;
  const dataAt = at + RECORD_HEAD + metaBytes;
  if (dataAt + dataBytes > size) return undefined;
  const text = await read(at + RECORD_HEAD, metaBytes);
  if ((await checksum(text)) !== new TextDecoder().decode(head.subarray(16))) return undefined;
  return { meta: new TextDecoder().decode(text), dataAt, dataBytes, end: dataAt + dataBytes };
}

function isLength(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Marks the file as complete. Everything else must be flushed before. */
export async function writeSeal(file: RandomFile, indexAt: number): Promise<void> {
  const body = `${MAGIC}${JSON.stringify({ indexAt, size: file.size() })}`;
  const seal = new Uint8Array(SEAL_BYTES);
  new TextEncoder().encodeInto(`${body}\n${await checksum(body)}\n`, seal);
  file.write(0, seal);
  file.flush();
}

/** Where a sealed file's index is; undefined for files that are not complete. */
export async function readSeal(
  read: (at: number, length: number) => Promise<Uint8Array>,
  size: number,
): Promise<number | undefined> {
  if (size < SEAL_BYTES) return undefined;
  const text = new TextDecoder().decode(await read(0, SEAL_BYTES));
  const [magic, json = "", sum] = text.split("\n");
  if (`${magic}\n` !== MAGIC || (await checksum(`${MAGIC}${json}`)) !== sum) return undefined;
  const body = JSON.parse(json) as { indexAt: number; size: number }; // its checksum was right: we wrote it
  return body.size === size ? body.indexAt : undefined;
}
