/** What the adapter can do at best: multiply-adds, copies, and how long an empty dispatch takes. */
import { unroll } from "../../../src/engine/kernels/unroll";
import type { Peak } from "../types";
import peakSource from "./peak.wgsl?raw";

const COPY_BYTES = 32 * 2 ** 20;

const copySource = `
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3u) { out[gid.x] = x[gid.x]; }`;

const emptySource = `
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@compute @workgroup_size(1)
fn main() { out[0] = vec4f(1f); }`;

export async function measurePeak(gpu: GPUDevice, isSoftware: boolean): Promise<Peak> {
  const usage = GPUBufferUsage.STORAGE;
  const out = gpu.createBuffer({ size: COPY_BYTES, usage });
  const x = gpu.createBuffer({ size: COPY_BYTES, usage });
  try {
    const fma = await measureMultiplyAdds(gpu, out, isSoftware);
    const copySeconds = await best(gpu, await pipeline(gpu, copySource), [out, x], COPY_BYTES / 16 / 64, 1);
    const dispatches = 1000;
    const emptySeconds = await best(gpu, await pipeline(gpu, emptySource), [out], 1, dispatches);
    return {
      gflops: fma / 1e9,
      copyGigabytesPerSecond: (2 * COPY_BYTES) / copySeconds / 1e9,
      dispatchMicroseconds: (emptySeconds / dispatches) * 1e6,
    };
  } finally {
    out.destroy();
    x.destroy();
  }
}

/** GPUs want many chains to hide latency; a processor's registers hold few vectors of four lanes each. */
const CHAINS = [2, 4, 8];

/** Operations per second of the loop in peak.wgsl at its best, with enough threads to fill the machine. */
async function measureMultiplyAdds(gpu: GPUDevice, out: GPUBuffer, isSoftware: boolean): Promise<number> {
  const rounds = isSoftware ? 512 : 4096;
  const workgroups = isSoftware ? 64 : 16384;
  let fastest = 0;
  for (const chains of CHAINS) {
    const source = `const ROUNDS = ${rounds}u;\n${unroll(peakSource, { CHAINS: chains })}`;
    const seconds = await best(gpu, await pipeline(gpu, source), [out], workgroups, 1);
    fastest = Math.max(fastest, (workgroups * 64 * rounds * chains * 4 * 2) / seconds);
  }
  return fastest;
}

function pipeline(gpu: GPUDevice, code: string): Promise<GPUComputePipeline> {
  const module = gpu.createShaderModule({ code });
  return gpu.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
}

/** Shortest of several submissions of `dispatches` dispatches. */
async function best(
  gpu: GPUDevice,
  compute: GPUComputePipeline,
  buffers: readonly GPUBuffer[],
  workgroups: number,
  dispatches: number,
): Promise<number> {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = gpu.createBindGroup({ layout: compute.getBindGroupLayout(0), entries });
  let shortest = Infinity;
  for (let round = 0; round < 6; round++) {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(compute);
    pass.setBindGroup(0, group);
    for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(workgroups);
    pass.end();
    const commands = encoder.finish();
    const begin = performance.now();
    gpu.queue.submit([commands]);
    await gpu.queue.onSubmittedWorkDone();
    shortest = Math.min(shortest, (performance.now() - begin) / 1000);
  }
  return shortest;
}
