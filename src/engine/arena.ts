/** The memory of all activations: a few large buffers that the planner's offsets point into. */
import { invariant } from "../base/errors";
import type { EngineDevice } from "./device";

/** Largest piece an arena may be cut into on this device; the planner lets no tensor straddle its multiples. */
export function arenaPiece(device: EngineDevice): number {
  return Math.floor(device.gpu.limits.maxBufferSize / 256) * 256;
}

export class Arena {
  readonly #device: EngineDevice;
  readonly #piece: number;
  readonly #buffers: GPUBuffer[] = [];

  constructor(device: EngineDevice, bytes: number) {
    this.#device = device;
    this.#piece = arenaPiece(device);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    for (let begin = 0; begin < bytes; begin += this.#piece) {
      this.#buffers.push(
        device.createBuffer({ label: "arena", size: Math.min(this.#piece, bytes - begin), usage }),
      );
    }
  }

  get bytes(): number {
    return this.#buffers.reduce((total, buffer) => total + buffer.size, 0);
  }

  /** The buffer a planned offset lies in, and the offset inside it. */
  range(offset: number): { buffer: GPUBuffer; offset: number } {
    const buffer = this.#buffers[Math.floor(offset / this.#piece)];
    invariant(buffer, `arena offset ${offset}`);
    return { buffer, offset: offset % this.#piece };
  }

  /** Sets every word, for tests that look for reads of unwritten memory. */
  fill(word: number): void {
    for (const buffer of this.#buffers)
      this.#device.gpu.queue.writeBuffer(buffer, 0, new Uint32Array(buffer.size / 4).fill(word));
  }

  dispose(): void {
    for (const buffer of this.#buffers) this.#device.destroyBuffer(buffer);
    this.#buffers.length = 0;
  }
}
