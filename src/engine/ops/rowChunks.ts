/** Sums over the rows (pixels, tokens) of each image, cut into pieces that threads take one by one; not an op. */
import { channels, dimension, elementCount, type Tensor } from "../tensor";
import { flatGroups } from "./support";

/** How [images, rows, channels] is cut into threads: each takes one channel quad of `chunkRows` rows. */
export interface Chunks {
  readonly images: number;
  readonly rows: number;
  readonly width: number;
  readonly chunks: number;
  readonly chunkRows: number;
}

/** Depends on the shape only, so that sums have the same order on every machine. */
export function reductionChunks(x: Tensor): Chunks {
  return cut(x, Math.max(16, Math.ceil(rowsOf(x) / 64)));
}

export function cut(x: Tensor, wantedRows: number): Chunks {
  const rows = rowsOf(x);
  const chunkRows = Math.min(rows, wantedRows);
  return {
    images: dimension(x, 0),
    rows,
    width: channels(x) / 4,
    chunks: Math.ceil(rows / chunkRows),
    chunkRows,
  };
}

/** Rows of one image. */
export function rowsOf(x: Tensor): number {
  return elementCount(x.shape) / channels(x) / dimension(x, 0);
}

/** For kernels with one thread per channel quad, chunk and image. */
export function chunkCall({ images, rows, width, chunks, chunkRows }: Chunks) {
  const count = images * chunks * width;
  return { parameters: { count, width, rows, chunks, chunkRows }, workgroups: flatGroups(count) };
}
