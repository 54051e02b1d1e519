/**
 * Weights that a cache already holds as GPU memory wants them: put together from rows, nothing is quantised twice.
 * The byte layouts are those of `weights.ts`.
 */
import { elementCount, type WeightSpec, type WeightType } from "./tensor";
import { scalesOffset, weightBytes, type WeightSource } from "./weights";

/** Some rows of one checkpoint tensor, as `packWeight` makes them from exactly these rows. */
export interface PackedRows {
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/**
 * A weight's bytes from packed rows; undefined when the source does not hold all of it in this very form, and values
 * have to be read and packed.
 */
export async function readPackedWeight(
  source: WeightSource,
  spec: WeightSpec,
  type: WeightType,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!source.readPacked) return undefined;
  const target = emptyWeight(spec, type);
  let row = 0;
  for (const key of spec.keys) {
    const pieces = await source.readPacked(key, spec.layout, type);
    if (!pieces) return undefined;
    for (const piece of pieces) {
      if (piece.bytes.byteLength !== weightBytes(rowsOf(spec, piece.rows), type)) return undefined;
      if (row + piece.rows > (spec.shape[0] ?? 0)) return undefined;
      place(piece, row, spec, type, target);
      row += piece.rows;
    }
  }
  return target;
}

/** All values zero: where a weight has more rows than the checkpoint (channels padded to quads). */
function emptyWeight(spec: WeightSpec, type: WeightType): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(weightBytes(spec, type));
  if (type === "q8") target.fill(128, 0, elementCount(spec.shape));
  return target;
}

function rowsOf(spec: WeightSpec, rows: number): WeightSpec {
  return { ...spec, shape: [rows, ...spec.shape.slice(1)] };
}

/** The plane of values and, for block types, the plane of scales lie apart; each row has its share of both. */
function place(piece: PackedRows, row: number, spec: WeightSpec, type: WeightType, target: Uint8Array): void {
  const width = elementCount(spec.shape.slice(1));
  const plane = { f32: 4 * width, f16: 2 * width, q8: width, q4: width / 2 }[type];
  target.set(piece.bytes.subarray(0, plane * piece.rows), plane * row);
  const scales = { f32: 0, f16: 0, q8: width / 16, q4: width / 8 }[type];
  if (scales === 0) return;
  const from = 4 * scalesOffset(rowsOf(spec, piece.rows), type);
  target.set(
    piece.bytes.subarray(from, from + scales * piece.rows),
    4 * scalesOffset(spec, type) + scales * row,
  );
}
