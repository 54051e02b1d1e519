/**
 * A checkpoint into the cache: read once, in slices; hashed, packed and written as it passes. At most three chunks of
 * 8 MiB and the rows made of one are in memory. A kill at any moment leaves records from which the next attempt goes
 * on; what is not whole is cut off and done again.
 */
import { WeftError } from "../base/errors";
import type { WeightPrecision, WeightType } from "../engine/tensor";
import type { Bundle } from "../formats/checkpoint/bundle";
import type { CheckpointTensor } from "../formats/checkpoint/tensor";
import { readTensor } from "../formats/safetensors/tensor";
import { fromBytes } from "../formats/safetensors/source";
import { storageError } from "../storage/errors";
import type { RandomFile } from "../storage/randomFile";
import { BundleHash, bundleSha256, type HashState } from "./bundleHash";
import { SEAL_BYTES, checksum, readRecord, writeRecord, writeSeal } from "./container";
import { formOfType, packRows, packedForm, pieceBytes } from "./packing";
import { CHUNK_BYTES, planImport, type PlannedChunk, type PlannedPiece } from "./plan";
import { parseBeginning, parseChunk, type Beginning, type PackIndex, type PieceRecord } from "./records";

export interface ImportRequest {
  readonly bundle: Bundle;
  /** Tensors to keep, by canonical key. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly storage: WeightType;
  /** What the model's graphs ask for single tensors. */
  readonly precisions?: ReadonlyMap<string, WeightPrecision>;
  readonly about: Omit<Beginning, "planHash" | "startedAt" | "sourceBytes" | "storage" | "chunkBytes">;
  /** SHA-256 that each file must have, where known, in the order of the bundle's files. */
  readonly expected?: readonly (string | undefined)[];
  /** Bytes read at a time; about 8 MiB when absent. */
  readonly chunkBytes?: number;
}

export interface ImportHost {
  /** Bytes of the checkpoint that are done, those of an earlier attempt included. */
  readonly onProgress: (done: number, resumedFrom: number) => void;
  /** Throws when the person cancelled; what is written stays for the next attempt. */
  readonly throwIfCancelled: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** How each tensor is kept. */
function formsOf({ storage, precisions }: ImportRequest) {
  return (key: string, { shape }: CheckpointTensor) => packedForm(key, shape, storage, precisions?.get(key));
}

/** Chunks between two flushes: what a power cut can cost. */
const CHUNKS_PER_FLUSH = 8;
/** Chunks that are read ahead while one is packed. */
const READ_AHEAD = 2;

interface Position {
  chunk: number;
  /** Where the next record goes. */
  at: number;
  readonly hash: BundleHash;
  /** Pieces written so far, by key. */
  readonly pieces: Map<string, PieceRecord[]>;
}

/**
 * Imports, or goes on with an import that was interrupted.
 * @throws WeftError `wrong-content` when the bytes are not those expected (the partial file is emptied);
 *   `storage-full`; whatever the source throws
 */
export async function importCheckpoint(
  request: ImportRequest,
  file: RandomFile,
  host: ImportHost,
): Promise<PackIndex> {
  const { bundle, storage } = request;
  const chunks = planImport(bundle.files, request.tensors, formsOf(request), request.chunkBytes);
  const planHash = await hashPlan(chunks, request);
  const beginning: Beginning = {
    ...request.about,
    storage,
    planHash,
    startedAt: host.now(),
    sourceBytes: bundle.source.size,
    chunkBytes: request.chunkBytes ?? CHUNK_BYTES,
  };
  const position = (await resumed(file, chunks, planHash)) ?? (await started(file, beginning));
  const resumedFrom = chunks[position.chunk]?.begin ?? bundle.source.size;
  const ahead = readAhead(bundle, chunks, position.chunk);
  for (let n = position.chunk; n < chunks.length; n++) {
    host.onProgress(chunks[n]?.begin ?? 0, resumedFrom);
    host.throwIfCancelled();
    const chunk = chunks[n];
    if (!chunk) break;
    const bytes = await ahead(n);
    await writeChunk(file, position, chunk, bytes, isLastOfFile(chunks, n));
    if (n % CHUNKS_PER_FLUSH === CHUNKS_PER_FLUSH - 1) file.flush();
  }
  host.onProgress(bundle.source.size, resumedFrom);
  return finish(request, beginning, file, position, host);
}

/** Starts reading a few chunks early; at most `READ_AHEAD` are waiting. */
function readAhead(bundle: Bundle, chunks: readonly PlannedChunk[], first: number) {
  const waiting = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  let next = first;
  return (n: number): Promise<Uint8Array<ArrayBuffer>> => {
    for (; next < chunks.length && next <= n + READ_AHEAD; next++) {
      const { begin = 0, end = 0 } = chunks[next] ?? {};
      const reading = bundle.source.read(begin, end - begin);
      // Whoever waits for it hears of a failure; until then nobody else needs to.
      reading.catch(() => undefined);
      waiting.set(next, reading);
    }
    const wanted = waiting.get(n);
    waiting.delete(n);
    return wanted ?? Promise.resolve(new Uint8Array());
  };
}

function isLastOfFile(chunks: readonly PlannedChunk[], n: number): boolean {
  return chunks[n]?.file !== chunks[n + 1]?.file;
}

/** Same headers, same storage, same cuts: only then do records of an earlier attempt fit. */
async function hashPlan(
  chunks: readonly PlannedChunk[],
  { bundle, tensors }: ImportRequest,
): Promise<string> {
  const files = bundle.files.map(({ name, size }) => [name, size]);
  const cuts = chunks.map(({ end, pieces }) => [end, pieces.map(({ bytes }) => bytes)]);
  const shapes = [...tensors].map(([key, { shape, dtype }]) => [key, dtype, shape]);
  return checksum(JSON.stringify([files, cuts, shapes]));
}

async function started(file: RandomFile, beginning: Beginning): Promise<Position> {
  file.truncate(0);
  file.write(0, new Uint8Array(SEAL_BYTES));
  const at = await writeRecord(file, SEAL_BYTES, beginning);
  file.flush();
  return { chunk: 0, at, hash: await BundleHash.begin(), pieces: new Map() };
}

/** Goes through the records of an earlier attempt as far as they are whole. */
async function resumed(
  file: RandomFile,
  chunks: readonly PlannedChunk[],
  planHash: string,
): Promise<Position | undefined> {
  const read = (at: number, length: number) => file.read(at, length);
  const first = await readRecord(read, file.size(), SEAL_BYTES);
  if (!first || parseBeginning(first.meta)?.planHash !== planHash) return undefined;
  let at = first.end;
  let state: HashState | undefined;
  const pieces: Position["pieces"] = new Map();
  let n = 0;
  for (; n < chunks.length; n++) {
    const record = await readRecord(read, file.size(), at);
    const meta = record && parseChunk(record.meta);
    const chunk = chunks[n];
    if (!record || !chunk || meta?.chunk !== n || !(await isWhole(file, record.dataAt, chunk, meta.sums)))
      break;
    note(pieces, chunk, record.dataAt, meta.sums);
    state = meta;
    at = record.end;
  }
  file.truncate(at);
  return { chunk: n, at, hash: await BundleHash.begin(state), pieces };
}

async function isWhole(
  file: RandomFile,
  dataAt: number,
  { pieces }: PlannedChunk,
  sums: readonly string[],
): Promise<boolean> {
  let at = dataAt;
  for (const [index, { bytes }] of pieces.entries()) {
    if ((await checksum(file.read(at, bytes))) !== sums[index]) return false;
    at += bytes;
  }
  return true;
}

async function writeChunk(
  file: RandomFile,
  position: Position,
  chunk: PlannedChunk,
  bytes: Uint8Array<ArrayBuffer>,
  endsFile: boolean,
): Promise<void> {
  position.hash.update(bytes);
  if (endsFile) position.hash.endFile();
  const packed: Uint8Array[] = [];
  for (const piece of chunk.pieces) packed.push(await packPiece(piece, bytes, chunk.begin));
  const sums = await Promise.all(packed.map(checksum));
  const meta = { chunk: position.chunk, sums, ...position.hash.save() };
  const end = await writeRecord(file, position.at, meta, packed);
  note(position.pieces, chunk, end - packed.reduce((total, { byteLength }) => total + byteLength, 0), sums);
  position.at = end;
  position.chunk++;
}

async function packPiece(
  piece: PlannedPiece,
  bytes: Uint8Array<ArrayBuffer>,
  begin: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { key, dtype, form, transposed } = piece;
  const slice = bytes.subarray(piece.begin - begin, piece.end - begin);
  const info = { name: key, dtype, shape: [], begin: 0, end: slice.byteLength };
  return packRows(form, await readTensor(fromBytes(slice, key), info, "f32"), transposed);
}

function note(
  all: Position["pieces"],
  { pieces }: PlannedChunk,
  dataAt: number,
  sums: readonly string[],
): void {
  let at = dataAt;
  for (const [index, { key, row, rows, bytes }] of pieces.entries()) {
    const known = all.get(key) ?? [];
    known.push([at, row, rows, sums[index] ?? ""]);
    all.set(key, known);
    at += bytes;
  }
}

async function finish(
  request: ImportRequest,
  beginning: Beginning,
  file: RandomFile,
  { hash, pieces, at }: Position,
  host: ImportHost,
): Promise<PackIndex> {
  const { bundle, expected } = request;
  const files = bundle.files.map(({ name, size }, n) => ({ name, size, sha256: hash.files[n] ?? "" }));
  const wrong = files.find(({ sha256 }, n) => expected?.[n] !== undefined && expected[n] !== sha256);
  if (wrong) {
    file.truncate(0);
    throw new WeftError(
      "wrong-content",
      `"${wrong.name}" arrived damaged: its SHA-256 is not the one the site gives.`,
      "Nothing of it was kept. Download it again.",
    );
  }
  const config = bundle.header.metadata.get("config");
  const forms = formsOf(request);
  const index: PackIndex = {
    ...beginning,
    sha256: await bundleSha256(files.map(({ sha256 }) => sha256)),
    files,
    finishedAt: host.now(),
    ...(config !== undefined && { config }),
    tensors: [...request.tensors].map(([key, tensor]) => ({
      key,
      shape: [...tensor.shape],
      type: forms(key, tensor).type,
      // In order of rows, which need not be that of the file: diffusers writes k before q.
      pieces: (pieces.get(key) ?? []).sort(([, a], [, b]) => a - b),
    })),
  };
  await writeRecord(file, at, index);
  file.flush();
  await readBack(file, index);
  await writeSeal(file, at);
  return index;
}

/**
 * What is sealed is there: some browsers let writes beyond the quota pass and keep nothing of them.
 * @throws WeftError `storage-full`
 */
async function readBack(file: RandomFile, { tensors }: PackIndex): Promise<void> {
  for (const { key, shape, type, pieces } of tensors) {
    const form = formOfType(key, shape, type);
    for (const [at, , rows, sum] of pieces) {
      if ((await checksum(file.read(at, pieceBytes(form, rows)))) === sum) continue;
      file.truncate(0);
      throw storageError(new DOMException("", "QuotaExceededError"));
    }
  }
}
