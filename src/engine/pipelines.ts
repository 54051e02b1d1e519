/** Compiled kernels of one device, each variant once, and their explicit bind group layouts. */
import { InternalError } from "../base/errors";
import type { EngineDevice } from "./device";
import type { KernelDefinition } from "./kernels/kernel";
import { generateShader, type BoundStorage, type GeneratedShader, type KernelConstants } from "./prelude";

export interface CompiledKernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly shader: GeneratedShader;
}

export type StorageByBinding = Readonly<Record<string, BoundStorage | undefined>>;

/** Compilations in flight at once; more only fights over the same cores. */
const CONCURRENCY = 4;

const caches = new WeakMap<EngineDevice, PipelineCache>();

/** The one cache of a device. */
export function pipelineCache(device: EngineDevice): PipelineCache {
  const known = caches.get(device);
  if (known) return known;
  const cache = new PipelineCache(device);
  caches.set(device, cache);
  return cache;
}

export class PipelineCache {
  readonly #device: EngineDevice;
  readonly #compiled = new Map<string, Promise<CompiledKernel>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(device: EngineDevice) {
    this.#device = device;
  }

  get(
    kernel: KernelDefinition,
    storage: StorageByBinding,
    constants: KernelConstants,
  ): Promise<CompiledKernel> {
    const key = variantKey(kernel, storage, constants);
    const known = this.#compiled.get(key);
    if (known) return known;
    const compiled = this.#limited(() => this.#compile(kernel, key, storage, constants));
    this.#compiled.set(key, compiled);
    return compiled;
  }

  async #limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= CONCURRENCY) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #compile(
    kernel: KernelDefinition,
    label: string,
    storage: StorageByBinding,
    constants: KernelConstants,
  ): Promise<CompiledKernel> {
    const { gpu } = this.#device;
    const shader = generateShader(kernel, storage, constants);
    const module = gpu.createShaderModule({ label, code: shader.code });
    const layout = this.#layout(shader, storage);
    const pipelineLayout = gpu.createPipelineLayout({ label, bindGroupLayouts: [layout] });
    this.#device.counts.pipelines++;
    try {
      const pipeline = await gpu.createComputePipelineAsync({
        label,
        layout: pipelineLayout,
        compute: { module, entryPoint: "main" },
      });
      return { pipeline, layout, shader };
    } catch (error) {
      throw await compileError(kernel, module, shader, error);
    }
  }

  #layout(shader: GeneratedShader, storage: StorageByBinding): GPUBindGroupLayout {
    const types = shader.present.map(({ name }) =>
      storage[name]?.memory === "host" ? "read-only-storage" : "storage",
    );
    const key = types.join();
    const known = this.#layouts.get(key);
    if (known) return known;
    const storageEntries = types.map((type, binding): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    }));
    const uniform: GPUBindGroupLayoutEntry = {
      binding: types.length,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: "uniform" },
    };
    const layout = this.#device.gpu.createBindGroupLayout({
      label: key,
      entries: [...storageEntries, uniform],
    });
    this.#layouts.set(key, layout);
    return layout;
  }
}

/** Same key, same shader text: kernel, constants, and how each binding is stored. */
export function variantKey(
  kernel: KernelDefinition,
  storage: StorageByBinding,
  constants: KernelConstants,
): string {
  const bound = kernel.bindings.map(({ name }) => {
    const found = storage[name];
    return found ? `${found.type}${found.memory === "host" ? "r" : ""}` : "-";
  });
  const baked = Object.entries(constants).map(([name, value]) => `${name}=${value}`);
  return `${kernel.name}(${bound.join()})[${baked.join()}]`;
}

/** Shows the compiler's words with the line of the generated text they speak of. */
async function compileError(
  kernel: KernelDefinition,
  module: GPUShaderModule,
  shader: GeneratedShader,
  cause: unknown,
): Promise<InternalError> {
  const info = await module.getCompilationInfo();
  const lines = shader.code.split("\n");
  const messages = info.messages.map(
    (message) =>
      `${kernel.name}.wgsl (generated line ${message.lineNum}): ${message.message}\n    ${lines[message.lineNum - 1] ?? ""}`,
  );
  const reason = messages.length > 0 ? messages.join("\n") : String(cause);
  return new InternalError(`the kernel ${kernel.name} does not compile on this GPU.\n${reason}`);
}
