/** Small results on their way to the host while the GPU goes on with the next step: a few staging buffers in turn. */
import { invariant } from "../base/errors";
import type { EngineDevice } from "./device";

/** Bytes of a buffer; offset and size are multiples of four. */
export interface ReadRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

export class ReadbackRing {
  readonly #device: EngineDevice;
  readonly #slots: readonly GPUBuffer[];
  #captured = 0;

  /**
   * @param bytes the most that one capture holds
   * @param slots captures that may be on their way at the same time
   */
  constructor(device: EngineDevice, bytes: number, slots: number) {
    this.#device = device;
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    this.#slots = Array.from({ length: slots }, () =>
      device.createBuffer({ label: "readback ring", size: bytes, usage }),
    );
  }

  /** Copies ranges, one after the other, as everything submitted so far leaves them; resolves once they arrived. */
  async capture(ranges: readonly ReadRange[]): Promise<ArrayBuffer> {
    const slot = this.#slots[this.#captured++ % this.#slots.length];
    invariant(slot?.mapState === "unmapped", "more captures are on their way than the ring has slots");
    const encoder = this.#device.gpu.createCommandEncoder();
    let size = 0;
    for (const range of ranges) {
      encoder.copyBufferToBuffer(range.buffer, range.offset, slot, size, range.size);
      size += range.size;
    }
    this.#device.gpu.queue.submit([encoder.finish()]);
    await slot.mapAsync(GPUMapMode.READ, 0, size);
    const bytes = slot.getMappedRange(0, size).slice(0);
    slot.unmap();
    this.#device.throwIfFailed();
    return bytes;
  }

  dispose(): void {
    for (const slot of this.#slots) this.#device.destroyBuffer(slot);
  }
}
