/**
 * The flat LoRA buffers: every trainable value side by side in f32, its gradient and moments at the same offset in
 * three further buffers, so that clip + AdamW is two dispatches and a checkpoint is one copy.
 */
import { invariant } from "../base/errors";
import type { EngineDevice } from "./device";
import { elementCount, type FlatRole } from "./tensor";

/** Floats per slice boundary: 256 bytes, the strictest binding offset alignment of WebGPU. */
const SLICE_FLOATS = 64;

export interface ParameterSlice {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
}

/** Where each named parameter lies. The order of first use decides, so the text encoder must be built first. */
export class ParameterLayout {
  readonly #slices = new Map<string, ParameterSlice>();
  #length = 0;

  /** Floats in each flat buffer, padding included. */
  get length(): number {
    return this.#length;
  }

  get slices(): readonly ParameterSlice[] {
    return [...this.#slices.values()];
  }

  /** Finds the slice of this name or appends it. Throws InternalError when a known name comes with another shape. */
  place(name: string, shape: readonly number[]): number {
    const known = this.#slices.get(name);
    if (known) {
      invariant(
        known.shape.join() === shape.join(),
        () => `parameter ${name} has shapes [${known.shape.join()}] and [${shape.join()}]`,
      );
      return known.offset;
    }
    const offset = this.#length;
    this.#slices.set(name, { name, shape, offset });
    this.#length += paddedLength(shape);
    return offset;
  }

  find(name: string): ParameterSlice | undefined {
    return this.#slices.get(name);
  }

  /** First float behind a slice, padding included; 0 for an unknown name. */
  endOf(name: string): number {
    const slice = this.#slices.get(name);
    return slice ? slice.offset + paddedLength(slice.shape) : 0;
  }
}

function paddedLength(shape: readonly number[]): number {
  return Math.ceil(elementCount(shape) / SLICE_FLOATS) * SLICE_FLOATS;
}

const FLAT_ROLES: readonly FlatRole[] = ["parameter", "gradient", "moment1", "moment2"];

/** The GPU side of a layout. Sampling needs only the values; training needs all four. */
export class ParameterBuffers {
  readonly layout: ParameterLayout;
  readonly #device: EngineDevice;
  readonly #buffers = new Map<FlatRole, GPUBuffer>();

  constructor(device: EngineDevice, layout: ParameterLayout, roles: readonly FlatRole[] = FLAT_ROLES) {
    this.#device = device;
    this.layout = layout;
    const size = Math.max(4 * layout.length, 256);
    for (const role of roles) {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
      this.#buffers.set(role, device.createBuffer({ label: `lora ${role}`, size, usage }));
    }
  }

  buffer(role: FlatRole): GPUBuffer {
    const buffer = this.#buffers.get(role);
    invariant(buffer, `this LoRA state holds no ${role} buffer`);
    return buffer;
  }

  /** Overwrites a whole flat buffer. */
  write(role: FlatRole, values: Float32Array<ArrayBuffer>): void {
    invariant(
      values.length === this.layout.length,
      `${values.length} floats for a flat buffer of ${this.layout.length}`,
    );
    this.#device.gpu.queue.writeBuffer(this.buffer(role), 0, values);
  }

  async read(role: FlatRole): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(await this.#device.readBuffer(this.buffer(role), 0, 4 * this.layout.length));
  }

  dispose(): void {
    for (const buffer of this.#buffers.values()) this.#device.destroyBuffer(buffer);
    this.#buffers.clear();
  }
}
