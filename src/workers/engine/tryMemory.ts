/**
 * How much GPU memory can be had. WebGPU tells no figure, so the only honest answer is to take it and see; drivers may
 * move what is not used to main memory, so a success says "possible", not "fast".
 */
import type { EngineDevice } from "../../engine/device";

const STEP = 256 << 20;

/** Takes up to `bytes` in pieces, writes to all of them, gives them back. @returns the bytes that were there */
export async function tryMemory({ gpu }: EngineDevice, bytes: number): Promise<number> {
  const buffers: GPUBuffer[] = [];
  const piece = Math.min(STEP, gpu.limits.maxBufferSize);
  let got = 0;
  try {
    while (got < bytes) {
      gpu.pushErrorScope("out-of-memory");
      const buffer = gpu.createBuffer({ size: piece, usage: GPUBufferUsage.COPY_DST });
      const encoder = gpu.createCommandEncoder();
      encoder.clearBuffer(buffer);
      gpu.queue.submit([encoder.finish()]);
      const error = await gpu.popErrorScope();
      if (error) {
        buffer.destroy();
        break;
      }
      buffers.push(buffer);
      await gpu.queue.onSubmittedWorkDone();
      got += piece;
    }
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
  return Math.min(got, bytes);
}
