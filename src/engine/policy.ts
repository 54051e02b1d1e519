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
  /**
   * Threads of a subgroup on software adapters with `subgroups`, else 0. There a load costs some fifty multiply-adds
   * and a broadcast one or two, so kernels run workgroups of one subgroup and hand operands from lane to lane.
   */
  readonly broadcastLanes: 0 | 4 | 8;
}

export const PORTABLE_POLICY: KernelPolicy = {
  sharedMemory: false,
  subgroups: false,
  broadcastLanes: 0,
};

/** The fixed table of a GPU nobody has tuned yet (kernels guide: 64×64, 8×4 per thread, f32 in shared memory, BK 16). */
export const GPU_POLICY: KernelPolicy = { ...PORTABLE_POLICY, sharedMemory: true };

/** The policy of a software adapter: SwiftShader has subgroups of 4, llvmpipe of 8 (4 on older processors). */
export function softwarePolicy(gpu: GPUDevice): KernelPolicy {
  if (!gpu.features.has("subgroups")) return PORTABLE_POLICY;
  const { subgroupMinSize, subgroupMaxSize } = gpu.adapterInfo;
  const isFixed = subgroupMinSize === subgroupMaxSize && (subgroupMinSize === 4 || subgroupMinSize === 8);
  return isFixed ? { ...PORTABLE_POLICY, broadcastLanes: subgroupMinSize } : PORTABLE_POLICY;
}
