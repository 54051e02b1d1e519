/** The register tile shared by the matmul kernels without workgroup memory. */
import { unroll } from "./unroll";

/** Rows × quads of columns per thread: fewest loads per multiply-add before software adapters spill. */
export const MATMUL_TILE = { TM: 8, TN: 2 };

/** Threads of a workgroup: along quads of columns, along rows. */
export const MATMUL_WORKGROUP = [2, 16, 1] as const;

/** Unrolls a matmul kernel to the tile. */
export function tiledMatmul(source: string): string {
  const { TM, TN } = MATMUL_TILE;
  return `const TM = ${TM}u;\nconst TN = ${TN}u;\n${unroll(source, MATMUL_TILE)}`;
}

/** Workgroups for `rows` × `columns` outputs. */
export function matmulGrid(rows: number, columns: number): readonly [number, number, number] {
  const [x, y] = MATMUL_WORKGROUP;
  return [Math.ceil(columns / 4 / MATMUL_TILE.TN / x), Math.ceil(rows / MATMUL_TILE.TM / y), 1];
}
