/**
 * The one owner of a GPUDevice: counts what is created, splits nothing, hides nothing; turns a lost device and a shader
 * that does not compile into errors a person can act on.
 */
import { WeftError } from "../base/errors";
import { GPU_POLICY, softwarePolicy, type KernelPolicy } from "./policy";

export interface EngineDeviceOptions {
  /** Shown to people, e.g. "NVIDIA GeForce RTX 3060". */
  readonly name: string;
  /** SwiftShader, llvmpipe and other CPU adapters. */
  readonly isSoftware: boolean;
  /** Overrides the fixed table. */
  readonly policy?: KernelPolicy;
}

/** Counts since the device was made; tests hold a training step to zero creations. */
export interface CreationCounts {
  buffers: number;
  bindGroups: number;
  pipelines: number;
  /** Bytes of live buffers. */
  liveBytes: number;
}

export class EngineDevice {
  readonly gpu: GPUDevice;
  readonly name: string;
  readonly isSoftware: boolean;
  readonly policy: KernelPolicy;
  readonly counts: CreationCounts = { buffers: 0, bindGroups: 0, pipelines: 0, liveBytes: 0 };
  /** Resolves when the GPU goes away, with the words for a person. */
  readonly lost: Promise<WeftError>;
  #uncaptured: string | undefined;

  constructor(gpu: GPUDevice, options: EngineDeviceOptions) {
    this.gpu = gpu;
    this.name = options.name;
    this.isSoftware = options.isSoftware;
    this.policy = options.policy ?? (options.isSoftware ? softwarePolicy(gpu) : GPU_POLICY);
    this.lost = gpu.lost.then((info) => deviceLost(info.message));
    gpu.addEventListener("uncapturederror", (event) => {
      this.#uncaptured ??= event.error.message;
    });
  }

  createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    if (descriptor.size > this.gpu.limits.maxBufferSize)
      throw tooLarge(descriptor, this.gpu.limits.maxBufferSize);
    this.counts.buffers++;
    this.counts.liveBytes += descriptor.size;
    return this.gpu.createBuffer(descriptor);
  }

  destroyBuffer(buffer: GPUBuffer): void {
    this.counts.liveBytes -= buffer.size;
    buffer.destroy();
  }

  createBindGroup(descriptor: GPUBindGroupDescriptor): GPUBindGroup {
    this.counts.bindGroups++;
    return this.gpu.createBindGroup(descriptor);
  }

  /** Copies a range to the host. Waits for everything submitted before. */
  async readBuffer(source: GPUBuffer, offset: number, size: number): Promise<ArrayBuffer> {
    const staging = this.createBuffer({
      label: "readback",
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    try {
      const encoder = this.gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(source, offset, staging, 0, size);
      this.gpu.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      this.throwIfFailed();
      return staging.getMappedRange().slice(0);
    } finally {
      this.destroyBuffer(staging);
    }
  }

  /** Throws the first validation or out-of-memory error that WebGPU reported in the background. */
  throwIfFailed(): void {
    if (this.#uncaptured === undefined) return;
    const message = this.#uncaptured;
    this.#uncaptured = undefined;
    throw new WeftError(
      "gpu-error",
      `The GPU reported an error: ${message}`,
      "Reload the page; if it happens again, report the message.",
    );
  }
}

function deviceLost(message: string): WeftError {
  return new WeftError(
    "gpu-lost",
    `The GPU was reset or taken away${message ? ` (${message})` : ""}.`,
    "The last checkpoint is safe: start the run again to go on from it. If it happens often, close other programs that use the GPU.",
  );
}

function tooLarge(descriptor: GPUBufferDescriptor, limit: number): WeftError {
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return new WeftError(
    "gpu-buffer-too-large",
    `"${descriptor.label ?? "A buffer"}" needs ${mebibytes(descriptor.size)}, this GPU allows ${mebibytes(limit)} in one piece.`,
    "Use a smaller resolution, batch or rank.",
  );
}
