/**
 * The safetensors header: 8 bytes little-endian length N, N bytes of JSON, then the tensor data.
 * Checked completely before anything is allocated from it, as strictly as the reference reader
 * (no holes, no overlaps, no bytes left over) and a little more: no duplicate keys, no leading space.
 */
import { dtypeBits, isDtype, type Dtype } from "./dtype";
import { DOWNLOAD_AGAIN, TensorFileError, quoted, type FileErrorCode } from "./errors";
import { JsonError, parseStrictJson, type JsonValue } from "./json";
import { recognise } from "./sniff";
import type { ByteSource } from "./source";

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Absolute byte range [begin, end) in the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** By name, in file order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** `__metadata__`; a Map because its keys are the file author's. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Absolute offset of the tensor data: 8 + N. */
  readonly dataStart: number;
}

/**
 * The format allows 100 MB; real headers have some hundred KB, a LoRA's training metadata included. The limit, and that
 * of the JSON reader, keep a hostile header below 64 MB of memory.
 */
const MAX_HEADER_BYTES = 16_000_000;

const METADATA_KEY = "__metadata__";

/**
 * Reads and checks the header of a safetensors file.
 * Reads at most 8 + N bytes, never more than the file has.
 * @throws TensorFileError one code per way a file can lie.
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const length = await headerLength(source);
  const root = parseHeader(await source.read(8, length), source.name);
  const dataStart = 8 + length;
  const metadata = readMetadata(root.get(METADATA_KEY), source.name);
  root.delete(METADATA_KEY);
  const infos = [...root].map(([name, value]) => readInfo(name, value, dataStart, source.name));
  if (infos.length === 0) fail("no-tensors", `"${source.name}" contains no tensors.`, "Pick another file.");
  infos.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(infos, dataStart, source);
  return { tensors: new Map(infos.map((info) => [info.name, info])), metadata, dataStart };
}

/** N, checked against the format's limit and the file's size. */
async function headerLength(source: ByteSource): Promise<number> {
  const { name, size } = source;
  if (size < 8)
    fail("too-short", `"${name}" has only ${size} bytes; a safetensors file has at least 8.`, DOWNLOAD_AGAIN);
  const head = await source.read(0, Math.min(size, 256));
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = view.getBigUint64(0, true);
  if (length <= MAX_HEADER_BYTES && Number(length) <= size - 8) return Number(length);
  refuseLookalike(head, name);
  const why = length > MAX_HEADER_BYTES ? "16,000,000 are the most that Weft reads" : `the file has ${size}`;
  return fail("header-length", `"${name}" says its header has ${length} bytes, but ${why}.`, DOWNLOAD_AGAIN);
}

/** @throws TensorFileError `not-safetensors` when the bytes are recognisably something else. */
function refuseLookalike(head: Uint8Array, name: string): void {
  const other = recognise(head);
  if (other) fail("not-safetensors", `"${name}" is not a safetensors file but ${other.what}.`, other.hint);
}

function parseHeader(bytes: Uint8Array, name: string): Map<string, JsonValue> {
  if (bytes[0] === 0x5b)
    fail("header-type", `The header of "${name}" is a list, not an object.`, DOWNLOAD_AGAIN);
  if (bytes[0] !== 0x7b)
    fail("header-json", `The header of "${name}" does not begin with "{".`, DOWNLOAD_AGAIN);
  const value = parseJson(decodeUtf8(bytes, name), name);
  if (value instanceof Map) return value;
  return fail("header-type", `The header of "${name}" is not an object.`, DOWNLOAD_AGAIN);
}

function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail("header-encoding", `The header of "${name}" is not valid UTF-8 text.`, DOWNLOAD_AGAIN);
  }
}

function parseJson(text: string, name: string): JsonValue {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    if (error.reason === "duplicate-key") {
      return fail(
        "duplicate-key",
        `"${name}" lists ${quoted(error.message)} twice.`,
        "Ask whoever made the file for a correct one.",
      );
    }
    return fail(
      "header-json",
      `The header of "${name}" is not valid JSON: ${error.message}.`,
      DOWNLOAD_AGAIN,
    );
  }
}

function readMetadata(value: JsonValue | undefined, name: string): Map<string, string> {
  if (value === undefined || value === null) return new Map();
  if (!(value instanceof Map))
    fail("header-type", `The metadata of "${name}" is not an object.`, DOWNLOAD_AGAIN);
  for (const [key, text] of value) {
    if (typeof text !== "string") {
      fail(
        "header-type",
        `Metadata ${quoted(key)} of "${name}" is not a text.`,
        "Ask whoever made the file for a correct one.",
      );
    }
  }
  return value as Map<string, string>; // every value was just checked
}

function readInfo(name: string, value: JsonValue, dataStart: number, file: string): TensorInfo {
  const what = `Tensor ${quoted(name)} of "${file}"`;
  if (!(value instanceof Map)) fail("header-type", `${what} is not described by an object.`, DOWNLOAD_AGAIN);
  const dtype = readDtype(value.get("dtype"), what);
  const shape = readNumbers(value.get("shape"), "shape", what);
  const offsets = readNumbers(value.get("data_offsets"), "offsets", what);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2) {
    fail("header-type", `${what} does not have two data offsets.`, DOWNLOAD_AGAIN);
  }
  if (end < begin) fail("offsets", `${what} ends at ${end}, before it begins at ${begin}.`, DOWNLOAD_AGAIN);
  checkSize(shape, dtype, end - begin, what);
  return { name, dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

function readDtype(value: JsonValue | undefined, what: string): Dtype {
  if (typeof value !== "string") fail("header-type", `${what} has no dtype.`, DOWNLOAD_AGAIN);
  if (isDtype(value)) return value;
  return fail(
    "dtype",
    `${what} has the unknown number type ${quoted(value)}.`,
    "Convert the model to fp16 or fp32.",
  );
}

/** A list of unsigned integers; other numbers give `code`, other things `header-type`. */
function readNumbers(value: JsonValue | undefined, code: "shape" | "offsets", what: string): number[] {
  if (!Array.isArray(value)) fail("header-type", `${what} has no list of ${code}.`, DOWNLOAD_AGAIN);
  return value.map((item) => {
    if (typeof item !== "number")
      fail("header-type", `${what} has ${code} that are not numbers.`, DOWNLOAD_AGAIN);
    if (!Number.isSafeInteger(item) || item < 0) {
      fail(code, `${what} has ${code} that are no possible sizes.`, DOWNLOAD_AGAIN);
    }
    return item;
  });
}

/** The byte range must hold exactly the shape's elements. */
function checkSize(shape: readonly number[], dtype: Dtype, bytes: number, what: string): void {
  let bits = dtypeBits(dtype);
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) fail("shape", `${what} has an impossibly large shape.`, DOWNLOAD_AGAIN);
  }
  if (bits / 8 === bytes) return;
  fail("shape", `${what} is ${dtype} [${shape.join(", ")}] but occupies ${bytes} bytes.`, DOWNLOAD_AGAIN);
}

/** Tensors (sorted by begin) must fill the data region without holes, overlaps or left-overs. */
function checkLayout(infos: readonly TensorInfo[], dataStart: number, source: ByteSource): void {
  let expected = dataStart;
  for (const info of infos) {
    if (info.begin !== expected) {
      const how = info.begin < expected ? "overlaps the tensor before it" : "leaves a hole before it";
      fail("offsets", `Tensor ${quoted(info.name)} of "${source.name}" ${how}.`, DOWNLOAD_AGAIN);
    }
    expected = info.end;
  }
  const surplus = source.size - expected;
  if (surplus < 0) {
    fail(
      "truncated",
      `"${source.name}" is cut off: ${-surplus} of ${expected} bytes are missing.`,
      DOWNLOAD_AGAIN,
    );
  }
  if (surplus > 0) {
    fail("trailing-data", `"${source.name}" has ${surplus} bytes after its last tensor.`, DOWNLOAD_AGAIN);
  }
}

function fail(code: FileErrorCode, message: string, hint: string): never {
  throw new TensorFileError(code, message, hint);
}
