/** Reads single tensors of a safetensors file. */
import { bf16ToFloats, halfToFloats } from "../../base/half";
import type { Dtype } from "./dtype";
import { TensorFileError, quoted } from "./errors";
import type { TensorInfo } from "./header";
import type { ByteSource } from "./source";

/**
 * One tensor's values, row-major.
 * `"raw"`: its little-endian bytes as stored. `"f32"`: converted to float32 from floats of any usual width,
 * integers and booleans (64-bit values are rounded).
 * @throws TensorFileError `dtype` for types that have no float32 meaning here (8-bit floats, complex),
 *   `unreadable` when the file cannot be read any more.
 */
export async function readTensor(
  source: ByteSource,
  info: TensorInfo,
  as: "raw",
): Promise<Uint8Array<ArrayBuffer>>;
export async function readTensor(
  source: ByteSource,
  info: TensorInfo,
  as: "f32",
): Promise<Float32Array<ArrayBuffer>>;
export async function readTensor(source: ByteSource, info: TensorInfo, as: "raw" | "f32") {
  const bytes = await source.read(info.begin, info.end - info.begin);
  if (as === "raw") return bytes;
  const convert = CONVERT[info.dtype];
  if (convert) return convert(alignedBuffer(bytes));
  throw new TensorFileError(
    "dtype",
    `Tensor ${quoted(info.name)} of "${source.name}" is stored as ${info.dtype}, which Weft does not read.`,
    "Use the fp16 or fp32 version of the model.",
  );
}

/** Whether {@link readTensor} can give this type as float32. */
export function isReadableAsFloat(dtype: Dtype): boolean {
  return CONVERT[dtype] !== undefined;
}

/** Typed arrays want buffers that begin with the first element. */
function alignedBuffer(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  const owned = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return owned ? bytes.buffer : bytes.slice().buffer;
}

const CONVERT: Partial<Record<Dtype, (buffer: ArrayBuffer) => Float32Array<ArrayBuffer>>> = {
  F32: (buffer) => new Float32Array(buffer),
  F16: (buffer) => halfToFloats(new Uint16Array(buffer)),
  BF16: (buffer) => bf16ToFloats(new Uint16Array(buffer)),
  F64: (buffer) => Float32Array.from(new Float64Array(buffer)),
  I64: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number),
  U64: (buffer) => Float32Array.from(new BigUint64Array(buffer), Number),
  I32: (buffer) => Float32Array.from(new Int32Array(buffer)),
  U32: (buffer) => Float32Array.from(new Uint32Array(buffer)),
  I16: (buffer) => Float32Array.from(new Int16Array(buffer)),
  U16: (buffer) => Float32Array.from(new Uint16Array(buffer)),
  I8: (buffer) => Float32Array.from(new Int8Array(buffer)),
  U8: (buffer) => Float32Array.from(new Uint8Array(buffer)),
  BOOL: (buffer) => Float32Array.from(new Uint8Array(buffer)),
};
