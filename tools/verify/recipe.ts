/** Builds the damaged files that golden bad-files cases describe as edits of a good one. */
import { WeftError } from "../../src/base/errors";
import { f32ToF16 } from "../../src/base/half";
import type { Dtype } from "../../src/formats/safetensors/dtype";
import { readSafetensorsHeader } from "../../src/formats/safetensors/header";
import { fromBytes, type ByteSource } from "../../src/formats/safetensors/source";
import { readTensor } from "../../src/formats/safetensors/tensor";
import { writeSafetensors, type TensorToWrite } from "../../src/formats/safetensors/write";

export type RecipeEdit =
  | { op: "truncate"; bytes?: number; fraction?: number }
  | { op: "drop"; key: string }
  | { op: "drop-prefix"; key: string }
  | { op: "reshape-swap"; key: string }
  | { op: "fill"; key: string; value: string | number }
  | { op: "add"; key: string; shape: number[]; dtype: Dtype };

/** The file after all edits, in memory. @throws WeftError `recipe` for an edit this program does not know. */
export async function buildRecipe(
  base: ByteSource,
  edits: readonly RecipeEdit[],
  name: string,
): Promise<ByteSource> {
  let bytes = await base.read(0, base.size);
  for (const edit of edits) {
    bytes = edit.op === "truncate" ? truncated(bytes, edit) : await edited(bytes, edit);
  }
  return fromBytes(bytes, name);
}

function truncated(
  bytes: Uint8Array<ArrayBuffer>,
  edit: { bytes?: number; fraction?: number },
): Uint8Array<ArrayBuffer> {
  return bytes.slice(0, edit.bytes ?? Math.floor(bytes.byteLength * (edit.fraction ?? 1)));
}

async function edited(
  bytes: Uint8Array,
  edit: Exclude<RecipeEdit, { op: "truncate" }>,
): Promise<Uint8Array<ArrayBuffer>> {
  const source = fromBytes(bytes, "base");
  const header = await readSafetensorsHeader(source);
  const tensors: TensorToWrite[] = [];
  for (const info of header.tensors.values())
    tensors.push({ ...info, bytes: await readTensor(source, info, "raw") });
  return writeSafetensors(applyEdit(tensors, edit), header.metadata);
}

function applyEdit(
  tensors: readonly TensorToWrite[],
  edit: Exclude<RecipeEdit, { op: "truncate" }>,
): TensorToWrite[] {
  const change = (apply: (tensor: TensorToWrite) => TensorToWrite) =>
    tensors.map((tensor) => (tensor.name === edit.key ? apply(tensor) : tensor));
  switch (edit.op) {
    case "drop":
      return tensors.filter((tensor) => tensor.name !== edit.key);
    case "drop-prefix":
      return tensors.filter((tensor) => !tensor.name.startsWith(edit.key));
    case "reshape-swap":
      return change(({ shape: [a = 1, b = 1, ...rest], ...tensor }) => ({
        ...tensor,
        shape: [b, a, ...rest],
      }));
    case "fill":
      return change((tensor) => ({ ...tensor, bytes: filled(tensor, numberOf(edit.value)) }));
    case "add":
      return [...tensors, { name: edit.key, dtype: edit.dtype, shape: edit.shape, bytes: zeros(edit) }];
    default:
      throw new WeftError("recipe", `unknown edit ${JSON.stringify(edit)}`);
  }
}

/** `"nan"`, `"inf"`, `"-inf"` or a number. */
function numberOf(value: string | number): number {
  return Number(String(value).replace("inf", "Infinity"));
}

/** Bytes of a tensor with one value everywhere; the golden edits fill f16 and f32 tensors. */
function filled({ bytes, dtype }: TensorToWrite, value: number): Uint8Array {
  const word = new DataView(new ArrayBuffer(4));
  word.setFloat32(0, value, true);
  if (dtype === "F16") word.setUint16(0, f32ToF16(value), true);
  const width = dtype === "F16" ? 2 : 4;
  return bytes.map((_, i) => word.getUint8(i % width));
}

function zeros({ shape, dtype }: { shape: number[]; dtype: Dtype }): Uint8Array {
  const width = /64/.test(dtype) ? 8 : /32/.test(dtype) ? 4 : /16/.test(dtype) ? 2 : 1;
  return new Uint8Array(shape.reduce((product, size) => product * size, width));
}
