/** A sealed cache file as a source of weights. Opening reads the seal and the index; tensors are read when asked for. */
import { WeftError } from "../base/errors";
import type { PackedRows } from "../engine/packedWeights";
import type { WeightType } from "../engine/tensor";
import type { WeightSource } from "../engine/weights";
import type { CheckpointConfig } from "../formats/checkpoint/config";
import { detectFromHeader } from "../formats/checkpoint/detect";
import type { TensorInfo } from "../formats/safetensors/header";
import type { ByteSource } from "../formats/safetensors/source";
import { VAE_PREFIX } from "../formats/checkpoint/layout";
import { checksum, readRecord, readSeal } from "./container";
import { formOfType, pieceBytes, rowCount, unpackRows, type PackedForm } from "./packing";
import { parseIndex, type PackIndex, type PieceRecord } from "./records";

interface CachedTensor {
  readonly form: PackedForm;
  readonly pieces: readonly PieceRecord[];
  readonly source: ByteSource;
}

/** A model, or a VAE, from the cache. */
export interface CachedModel extends WeightSource {
  readonly index: PackIndex;
  readPacked: NonNullable<WeightSource["readPacked"]>;
  /** All tensors' keys and shapes. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /**
   * Reads the first weights there are: that a copy is lost is told when the model is opened, not in the middle of a run.
   * @throws WeftError `cache-damaged`
   */
  readFirst(): Promise<void>;
}

/** The index of a complete cache file; undefined for one that is not complete or that another version wrote. */
export async function readIndex(source: ByteSource): Promise<PackIndex | undefined> {
  const read = (at: number, length: number) => source.read(at, length);
  const indexAt = await readSeal(read, source.size);
  if (indexAt === undefined) return undefined;
  const record = await readRecord(read, source.size, indexAt);
  return record && parseIndex(record.meta);
}

/**
 * @param vae replaces the model's own
 * @throws WeftError `cache-damaged` when the file is not a complete model
 */
export async function openCachedModel(source: ByteSource, vae?: CachedModel): Promise<CachedModel> {
  const index = await readIndex(source);
  if (!index) throw damaged(source.name);
  return cachedModel(index, source, vae);
}

function cachedModel(index: PackIndex, source: ByteSource, vae?: CachedModel): CachedModel {
  const tensors = new Map<string, CachedTensor>();
  for (const { key, shape, type, pieces } of index.tensors)
    tensors.set(key, { form: formOfType(key, shape, type), pieces, source });
  const own = (key: string) => (vae && key.startsWith(VAE_PREFIX) ? undefined : tensors.get(key));
  const shapes = new Map([...tensors].map(([key, { form }]) => [key, form.shape]));
  for (const [key, shape] of vae?.shapes ?? []) shapes.set(key, shape);
  return {
    index,
    shapes,
    name: index.title,
    shapeOf: (key) => shapes.get(key),
    read: (key) => {
      const tensor = own(key);
      if (tensor) return readValues(key, tensor);
      return vae ? vae.read(key) : Promise.reject(absent(index.title, key));
    },
    readPacked: async (key, layout, type) => {
      const tensor = own(key);
      if (!tensor) return vae?.readPacked(key, layout, type);
      return fits(tensor.form, layout, type) ? readRows(key, tensor) : undefined;
    },
    readFirst: async () => {
      const [first] = index.tensors;
      const [piece] = first?.pieces ?? [];
      if (first && piece)
        await readPiece(first.key, formOfType(first.key, first.shape, first.type), piece, source);
    },
  };
}

/**
 * The configuration of a cached model, told again from its shapes.
 * @throws TensorFileError when a part is missing (a checkpoint without VAE, opened without one)
 */
export function configOf(model: CachedModel): CheckpointConfig {
  const { config, title, prediction } = model.index;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shape] of model.shapes)
    tensors.set(name, { name, dtype: "F32", shape, begin: 0, end: 0 });
  const metadata = new Map(config === undefined ? [] : [["config", config]]);
  const detected = detectFromHeader({ tensors, metadata, dataStart: 0 }, title);
  // What SD2 predicts was told by values when the model was imported.
  return { ...detected.config, prediction };
}

function fits(form: PackedForm, layout: string, type: WeightType): boolean {
  return form.layout === layout && form.type === type;
}

/** @throws WeftError `cache-damaged` when the disk gave back other bytes than were written */
async function readRows(key: string, { form, pieces, source }: CachedTensor): Promise<CachedRows[]> {
  const all: CachedRows[] = [];
  let row = 0;
  for (const piece of pieces) {
    const [, first, rows] = piece;
    if (first !== row) throw damaged(source.name, key);
    all.push({ rows, bytes: await readPiece(key, form, piece, source) });
    row += rows;
  }
  if (row !== rowCount(form)) throw damaged(source.name, key);
  return all;
}

async function readPiece(
  key: string,
  form: PackedForm,
  [at, , rows, sum]: PieceRecord,
  source: ByteSource,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await source.read(at, pieceBytes(form, rows));
  if ((await checksum(bytes)) === sum) return bytes;
  throw damaged(source.name, key);
}

interface CachedRows extends PackedRows {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function readValues(key: string, tensor: CachedTensor): Promise<Float32Array<ArrayBuffer>> {
  const { form } = tensor;
  const parts = await readRows(key, tensor);
  const values = parts.map(({ bytes, rows }) => unpackRows(form, bytes, rows));
  const [only] = values;
  if (only && values.length === 1) return only;
  const all = new Float32Array(values.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of values) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function damaged(file: string, key?: string): WeftError {
  return new WeftError(
    "cache-damaged",
    `The kept copy "${file}" is damaged${key === undefined ? "" : ` (${key})`}.`,
    "Delete it in the Model room and import the model again.",
  );
}

function absent(title: string, key: string): WeftError {
  return new WeftError("missing-tensors", `"${title}" lacks the tensor ${key}.`, "Use a full checkpoint.");
}
