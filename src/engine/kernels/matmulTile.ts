/** The register tile shared by the matmul kernels without workgroup memory. */
import { unroll } from "./unroll";

/**
 * Rows × quads of columns per thread. Measured on software adapters, f32: 8×2 is 15–25 % faster, but lavapipe needs
 * twice the time to compile it (4 s of processor time instead of 1.8 s per variant); 4×1 is 25 % slower on SwiftShader.
 */
export const MATMUL_TILE = { TM: 8, TN: 1 };

/** Threads of a workgroup: along quads of columns, along rows. */
export const MATMUL_WORKGROUP = [4, 8, 1] as const;

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
