/** Finds weights that are no numbers, on the stored bytes, without converting them. */
import type { Dtype } from "./dtype";
import type { TensorInfo } from "./header";
import type { ByteSource } from "./source";
import { readTensor } from "./tensor";

/** For 16- and 32-bit floats: the exponent bits, all set in infinities and NaNs. */
const EXPONENT_MASK: Partial<Record<Dtype, number>> = { F16: 0x7c00, BF16: 0x7f80, F32: 0x7f800000 };

/** Whether every value of a tensor is finite. @param bytes as stored, little-endian. */
export function isFiniteTensor(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype): boolean {
  const mask = EXPONENT_MASK[dtype];
  if (dtype === "F64") return new Float64Array(bytes.slice().buffer).every(Number.isFinite);
  if (mask === undefined) return true;
  const words =
    dtype === "F32" ? new Uint32Array(bytes.slice().buffer) : new Uint16Array(bytes.slice().buffer);
  for (const word of words) if ((word & mask) === mask) return false;
  return true;
}

/** Names of the tensors that contain NaN or infinity; reads one tensor at a time. */
export async function findNonFinite(source: ByteSource, infos: Iterable<TensorInfo>): Promise<string[]> {
  const bad: string[] = [];
  for (const info of infos) {
    if (!isFiniteTensor(await readTensor(source, info, "raw"), info.dtype)) bad.push(info.name);
  }
  return bad;
}
