/**
 * Reads the `tensors.safetensors` of a golden case. Deliberately not the app's own reader: what checks the
 * app should not fail together with it. The files are small and ours, so the whole file is read at once.
 */
import { readFile } from "node:fs/promises";
import { WeftError } from "../../src/base/errors";
import type { GoldenTensor } from "./types";

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A copy, because tensor data may start at any byte and typed arrays want multiples of four. */
function view(dtype: string, bytes: Uint8Array, file: string): GoldenTensor["data"] {
  const { buffer } = new Uint8Array(bytes);
  if (dtype === "F32") return new Float32Array(buffer);
  if (dtype === "I32") return new Int32Array(buffer);
  if (dtype === "U8") return new Uint8Array(buffer);
  throw new WeftError("dtype", `${file}: golden tensors are F32, I32 or U8, not ${dtype}`);
}

/**
 * @returns name → tensor, in file order.
 * @throws WeftError for a dtype other than F32, I32 and U8.
 */
export async function readGoldenTensors(file: string): Promise<Map<string, GoldenTensor>> {
  const bytes = await readFile(file);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header: Record<string, Entry> = JSON.parse(bytes.toString("utf8", 8, 8 + headerBytes));
  const body = bytes.subarray(8 + headerBytes);
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = entry.data_offsets;
    tensors.set(name, {
      dtype: entry.dtype,
      shape: entry.shape,
      data: view(entry.dtype, body.subarray(from, to), file),
    });
  }
  return tensors;
}
