/** Frozen weights on the GPU, loaded one tensor at a time, shared by every program of a model. */
import { invariant } from "../base/errors";
import type { EngineDevice } from "./device";
import { weightId } from "./graph";
import { readPackedWeight } from "./packedWeights";
import type { Tensor, WeightSpec, WeightType } from "./tensor";
import {
  packWeight,
  readWeight,
  scalesOffset,
  weightBytes,
  weightTypeFor,
  type WeightSource,
} from "./weights";

export interface StoredWeight {
  readonly spec: WeightSpec;
  readonly buffer: GPUBuffer;
  readonly type: WeightType;
  /** Word offset of the scale plane; 0 without one. */
  readonly scales: number;
}

export class WeightStore {
  readonly requested: WeightType;
  readonly #device: EngineDevice;
  readonly #stored = new Map<string, StoredWeight>();

  constructor(device: EngineDevice, requested: WeightType) {
    this.#device = device;
    this.requested = requested;
  }

  /** Bytes of GPU memory held. */
  get bytes(): number {
    return [...this.#stored.values()].reduce((total, { buffer }) => total + buffer.size, 0);
  }

  /**
   * Loads what is not there yet, in the order given; at most one tensor is in host memory at a time.
   * @param onProgress called after each tensor with counts of tensors
   * @throws WeftError when the checkpoint lacks a tensor or has another shape
   */
  async load(
    tensors: readonly Tensor[],
    source: WeightSource,
    onProgress?: (done: number, total: number) => void,
  ): Promise<void> {
    let done = 0;
    for (const { weight } of tensors) {
      if (weight && !this.#stored.has(weightId(weight))) await this.#read(weight, source);
      onProgress?.(++done, tensors.length);
    }
  }

  /** Packs and uploads values that already lie in memory order; replaces an older version. */
  put(spec: WeightSpec, values: Float32Array): void {
    const type = weightTypeFor(spec, this.requested);
    this.#upload(spec, type, packWeight(values, type));
  }

  async #read(spec: WeightSpec, source: WeightSource): Promise<void> {
    const type = weightTypeFor(spec, this.requested);
    const packed = await readPackedWeight(source, spec, type);
    if (packed) this.#upload(spec, type, packed);
    else this.put(spec, await readWeight(source, spec));
  }

  #upload(spec: WeightSpec, type: WeightType, packed: Uint8Array<ArrayBuffer>): void {
    const known = this.#stored.get(weightId(spec));
    const buffer = known?.buffer ?? this.#create(spec, type);
    this.#device.gpu.queue.writeBuffer(buffer, 0, packed);
    this.#stored.set(weightId(spec), { spec, buffer, type, scales: scalesOffset(spec, type) });
  }

  /** Reads again every stored weight made of one of these keys, e.g. after a LoRA was baked into the source. */
  async reload(keys: ReadonlySet<string>, source: WeightSource): Promise<void> {
    for (const { spec } of [...this.#stored.values()]) {
      if (spec.keys.some((key) => keys.has(key))) await this.#read(spec, source);
    }
  }

  get(spec: WeightSpec): StoredWeight {
    const stored = this.#stored.get(weightId(spec));
    invariant(stored, () => `weight ${weightId(spec)} was never loaded`);
    return stored;
  }

  /** Gives back the weights made of keys that match; programs that read them must be gone. */
  release(matches: (key: string) => boolean): void {
    for (const [id, { spec, buffer }] of [...this.#stored]) {
      if (!spec.keys.some(matches)) continue;
      this.#device.destroyBuffer(buffer);
      this.#stored.delete(id);
    }
  }

  dispose(): void {
    for (const { buffer } of this.#stored.values()) this.#device.destroyBuffer(buffer);
    this.#stored.clear();
  }

  #create(spec: WeightSpec, type: WeightType): GPUBuffer {
    return this.#device.createBuffer({
      label: weightId(spec),
      size: Math.max(16, Math.ceil(weightBytes(spec, type) / 16) * 16),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
  }
}
