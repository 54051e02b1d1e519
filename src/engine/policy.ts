/**
 * Which kernel variant serves which shape on this adapter.
 *
 * The policy is plain data: it is stored with a training run, because another tile order is another rounding and a
 * resumed run must be bit-identical.
 */
export interface KernelPolicy {
  /**
   * Software adapters (SwiftShader, llvmpipe) run barriers and workgroup memory very slowly: they get the kernels
   * without shared memory.
   */
  readonly sharedMemory: boolean;
  readonly subgroups: boolean;
  /** Matmul tile of the shared-memory kernels. */
  readonly matmulTile: MatmulTile;
}

/** Rows × columns per workgroup and per thread, contraction slice, threads. */
export interface MatmulTile {
  readonly BM: number;
  readonly BN: number;
  readonly BK: number;
  readonly TM: number;
  readonly TN: number;
}

export const PORTABLE_POLICY: KernelPolicy = {
  sharedMemory: false,
  subgroups: false,
  matmulTile: { BM: 64, BN: 64, BK: 16, TM: 8, TN: 4 },
};

/** The fixed table of a GPU nobody has tuned yet (kernels guide: 64×64, 8×4 per thread, f32 in shared memory, BK 16). */
export const GPU_POLICY: KernelPolicy = { ...PORTABLE_POLICY, sharedMemory: true };
