/**
 * How an import goes through a checkpoint: in the order of its bytes, in chunks of about 8 MiB that end between rows,
 * never across files. The plan follows from the headers and the chosen storage alone, so that an interrupted import
 * finds its place again.
 */
import type { BundleFile } from "../formats/checkpoint/bundle";
import { tensorRanges, type CheckpointTensor } from "../formats/checkpoint/tensor";
import { dtypeBits, type Dtype } from "../formats/safetensors/dtype";
import { pieceBytes, rowCount, rowLength, type PackedForm } from "./packing";

/** Bytes of the checkpoint that are read at a time. Small enough that a few chunks at once stay unnoticed. */
export const CHUNK_BYTES = 8 << 20;

/** Rows [row, row + rows) of a tensor, from bytes [begin, end) of the checkpoint. */
export interface PlannedPiece {
  readonly key: string;
  readonly form: PackedForm;
  readonly dtype: Dtype;
  readonly transposed: boolean;
  readonly begin: number;
  readonly end: number;
  readonly row: number;
  readonly rows: number;
  /** In the cache file. */
  readonly bytes: number;
}

export interface PlannedChunk {
  readonly begin: number;
  readonly end: number;
  /** Index into the bundle's files. */
  readonly file: number;
  readonly pieces: readonly PlannedPiece[];
}

/** A stretch of bytes: part of a tensor that must be cut between rows, or bytes that nobody needs. */
interface Stretch {
  readonly begin: number;
  readonly end: number;
  readonly targets: readonly Target[];
}

interface Target {
  readonly key: string;
  readonly tensor: CheckpointTensor;
  readonly dtype: Dtype;
  readonly form: PackedForm;
  /** Row of the tensor that the stretch begins with. */
  readonly row: number;
}

export function planImport(
  files: readonly BundleFile[],
  tensors: ReadonlyMap<string, CheckpointTensor>,
  formOf: (key: string, tensor: CheckpointTensor) => PackedForm,
  chunkBytes = CHUNK_BYTES,
): PlannedChunk[] {
  const wanted = stretchesOf(tensors, formOf);
  return files.flatMap((file, index) => {
    const inside = wanted.filter(({ begin }) => begin >= file.begin && begin < file.begin + file.size);
    return new Chunker(file.begin, index, chunkBytes).cut(
      covering(inside, file.begin, file.begin + file.size),
    );
  });
}

/** Every range that holds needed values, by where it begins. */
function stretchesOf(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  formOf: (key: string, tensor: CheckpointTensor) => PackedForm,
): Stretch[] {
  const byPlace = new Map<string, { begin: number; end: number; targets: Target[] }>();
  for (const [key, tensor] of tensors) {
    const form = formOf(key, tensor);
    let row = 0;
    for (const range of tensorRanges(tensor)) {
      const place = `${range.begin}:${range.end}`;
      const stretch = byPlace.get(place) ?? { begin: range.begin, end: range.end, targets: [] };
      stretch.targets.push({ key, tensor, dtype: range.dtype, form, row });
      byPlace.set(place, stretch);
      row += tensor.pieces ? (range.shape[0] ?? 0) : rowCount(form);
    }
  }
  return [...byPlace.values()].filter(({ begin, end }) => end > begin).sort((a, b) => a.begin - b.begin);
}

/** The same with the bytes in between, so that all bytes are gone through (and hashed). */
function covering(wanted: readonly Stretch[], begin: number, end: number): Stretch[] {
  const all: Stretch[] = [];
  let at = begin;
  for (const stretch of wanted) {
    if (stretch.begin > at) all.push({ begin: at, end: stretch.begin, targets: [] });
    all.push(stretch);
    at = stretch.end;
  }
  if (at < end) all.push({ begin: at, end, targets: [] });
  return all;
}

class Chunker {
  readonly #file: number;
  readonly #limit: number;
  readonly #chunks: PlannedChunk[] = [];
  #begin: number;
  #at: number;
  #pieces: PlannedPiece[] = [];

  constructor(begin: number, file: number, limit: number) {
    this.#begin = begin;
    this.#at = begin;
    this.#file = file;
    this.#limit = limit;
  }

  cut(stretches: readonly Stretch[]): PlannedChunk[] {
    for (const stretch of stretches) {
      const grain = grainOf(stretch);
      while (this.#at < stretch.end) this.#take(stretch, grain);
    }
    this.#close();
    return this.#chunks;
  }

  #take(stretch: Stretch, grain: number): void {
    const room = this.#limit - (this.#at - this.#begin);
    let bytes = Math.min(stretch.end - this.#at, Math.floor(room / grain) * grain);
    // A single row larger than what is left: it begins the next chunk, however large.
    if (bytes === 0 && this.#at > this.#begin) return this.#close();
    if (bytes === 0) bytes = grain;
    for (const target of stretch.targets) this.#pieces.push(pieceOf(target, stretch, this.#at, bytes));
    this.#at += bytes;
    if (this.#at - this.#begin >= this.#limit) this.#close();
  }

  #close(): void {
    if (this.#at === this.#begin) return;
    this.#chunks.push({ begin: this.#begin, end: this.#at, file: this.#file, pieces: this.#pieces });
    this.#begin = this.#at;
    this.#pieces = [];
  }
}

/** Bytes that may not be torn apart. */
function grainOf({ begin, end, targets }: Stretch): number {
  if (targets.some(({ tensor }) => tensor.transposed)) return end - begin;
  return Math.max(1, ...targets.map(rowBytes));
}

function rowBytes({ form, dtype }: Target): number {
  return (rowLength(form) * dtypeBits(dtype)) / 8;
}

function pieceOf(target: Target, stretch: Stretch, begin: number, bytes: number): PlannedPiece {
  const { key, form, dtype, tensor } = target;
  const transposed = tensor.transposed ?? false;
  const rows = transposed ? rowCount(form) : bytes / rowBytes(target);
  const row = transposed ? 0 : target.row + (begin - stretch.begin) / rowBytes(target);
  return {
    key,
    form,
    dtype,
    transposed,
    begin,
    end: begin + bytes,
    row,
    rows,
    bytes: pieceBytes(form, rows),
  };
}
