/**
 * A compiled graph: one arena, cached bind groups and a flat list of dispatches that a run replays. A run creates no
 * buffers, no bind groups and no per-tensor objects.
 */
import { InternalError, invariant } from "../base/errors";
import { floatsToHalf, halfToFloats } from "../base/half";
import { Arena } from "./arena";
import type { EngineDevice } from "./device";
import type { LoweredCall } from "./lowering";
import type { ParameterBuffers } from "./parameters";
import { keptTensors, UNIFORM_SLOT, type ExecutionPlan } from "./planner";
import { pipelineCache, type CompiledKernel } from "./pipelines";
import { boundStorage } from "./precompile";
import { scalesField } from "./prelude";
import type { ReadRange } from "./readbackRing";
import { tensorBytes, type Tensor } from "./tensor";
import type { WeightStore } from "./weightStore";

export interface ProgramResources {
  readonly weights?: WeightStore;
  readonly parameters?: ParameterBuffers;
  /** Programs that never run at the same time may share one arena, sized for the largest. */
  readonly arena?: Arena;
}

const MAX_GRID = 65535;
/** A submission is cut when it is expected to run longer, so that the desktop stays responsive. */
const SUBMIT_SECONDS = 0.04;
/** First guess of the adapter's speed; corrected from the measured time of every run. */
const FIRST_GUESS_FLOPS = { software: 5e8, hardware: 5e11 };

export class Program {
  readonly plan: ExecutionPlan;
  readonly #device: EngineDevice;
  readonly #resources: ProgramResources;
  readonly #inputs = new Map<number, GPUBuffer>();
  readonly #arena: Arena;
  readonly #ownsArena: boolean;
  readonly #readback = new Map<number, GPUBuffer>();
  readonly #uniforms: GPUBuffer;
  #pipelines: GPUComputePipeline[] = [];
  #groups: GPUBindGroup[] = [];
  readonly #grids: Uint32Array;
  readonly #costs: Float64Array;
  readonly #phaseEnds: Readonly<Record<"forward" | "backward" | "update", number>>;
  #flopsPerSecond: number;

  /** Bytes of GPU memory this program created itself (arena, inputs, uniforms, readback). */
  readonly ownBytes: number;

  private constructor(device: EngineDevice, plan: ExecutionPlan, resources: ProgramResources) {
    this.#device = device;
    this.plan = plan;
    this.#resources = resources;
    const before = device.counts.liveBytes;
    this.#ownsArena = resources.arena === undefined;
    this.#arena = resources.arena ?? new Arena(device, plan.arenaBytes);
    for (const input of plan.graph.inputs) this.#inputs.set(input.id, createInput(device, input));
    for (const tensor of keptTensors(plan.graph))
      this.#readback.set(tensor.id, createReadback(device, tensor));
    const uniformUsage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.#uniforms = device.createBuffer({
      label: "uniforms",
      size: UNIFORM_SLOT * Math.max(1, plan.calls.length),
      usage: uniformUsage,
    });
    this.ownBytes = device.counts.liveBytes - before;
    this.#grids = Uint32Array.from(plan.calls.flatMap((call) => foldGrid(call)));
    this.#costs = Float64Array.from(plan.calls, (call) => call.flops);
    this.#phaseEnds = phaseEnds(plan.calls);
    this.#flopsPerSecond = device.isSoftware ? FIRST_GUESS_FLOPS.software : FIRST_GUESS_FLOPS.hardware;
  }

  /**
   * Allocates, compiles all kernels and creates all bind groups.
   * @param onProgress called as pipelines become ready
   */
  static async compile(
    device: EngineDevice,
    plan: ExecutionPlan,
    resources: ProgramResources,
    onProgress?: (done: number, total: number) => void,
  ): Promise<Program> {
    const program = new Program(device, plan, resources);
    const cache = pipelineCache(device);
    const weightType = resources.weights?.requested ?? "f32";
    let done = 0;
    const compiled = await Promise.all(
      plan.calls.map(async (call) => {
        const kernel = await cache.get(call.kernel, boundStorage(call, weightType), call.constants);
        onProgress?.(++done, plan.calls.length);
        return kernel;
      }),
    );
    program.#link(compiled);
    device.throwIfFailed();
    return program;
  }

  /** Writes an input; `data` must fill it exactly. Floats written to an f16 input are rounded to halves. */
  write(input: Tensor, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): void {
    const buffer = this.#inputs.get(input.id);
    invariant(buffer, () => `${input.name} is not an input of this program`);
    const stored = input.type === "f16" && data instanceof Float32Array ? floatsToHalf(data) : data;
    const expected = tensorBytes(input);
    invariant(
      stored.byteLength <= expected && expected - stored.byteLength < 16,
      () => `${input.name} takes ${expected} bytes, got ${stored.byteLength}`,
    );
    this.#device.gpu.queue.writeBuffer(buffer, 0, stored);
  }

  /**
   * Replays the dispatches up to the end of a phase.
   * @param until `forward` gives outputs only, `backward` leaves the optimizer out (micro-batches before the last one)
   */
  run(until: "forward" | "backward" | "update" = "update"): void {
    const end = this.#phaseEnds[until];
    let begin = 0;
    while (begin < end) begin = this.#submit(begin, end);
  }

  /** Waits for everything submitted, and learns how fast the adapter is. */
  async finished(): Promise<void> {
    await this.#device.gpu.queue.onSubmittedWorkDone();
    this.#device.throwIfFailed();
  }

  /** Tells the program how long a whole run took, so that submissions are cut at the right length. */
  learnSpeed(seconds: number): void {
    const flops = this.#costs.reduce((total, cost) => total + cost, 0);
    if (seconds > 0 && flops > 0) this.#flopsPerSecond = flops / seconds;
  }

  /** Reads a kept tensor as f32; waits for the run. */
  async read(tensor: Tensor): Promise<Float32Array<ArrayBuffer>> {
    const { buffer, offset, size } = this.kept(tensor);
    const staging = this.#readback.get(tensor.id);
    invariant(staging, () => `${tensor.name} has no readback buffer`);
    const encoder = this.#device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
    this.#device.gpu.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const bytes = staging.getMappedRange().slice(0, size);
    const values = tensor.type === "f16" ? halfToFloats(new Uint16Array(bytes)) : new Float32Array(bytes);
    staging.unmap();
    this.#device.throwIfFailed();
    return values;
  }

  /** Where a kept tensor lies, for a {@link ReadbackRing}. */
  kept(tensor: Tensor): ReadRange {
    const placement = this.plan.placements.get(tensor.id);
    if (!this.#readback.has(tensor.id) || !placement)
      throw new InternalError(`${tensor.name} is not kept by this program`);
    return { ...this.#arena.range(placement.offset), size: tensorBytes(tensor) };
  }

  /** Fills the arena with NaN, for tests that look for reads of unwritten memory. */
  poison(): void {
    this.#arena.fill(0x7fc00000);
  }

  dispose(): void {
    const own = [...this.#inputs.values(), ...this.#readback.values(), this.#uniforms];
    for (const buffer of own) this.#device.destroyBuffer(buffer);
    if (this.#ownsArena) this.#arena.dispose();
    this.#groups = [];
    this.#pipelines = [];
  }

  /** Encodes and submits from `begin` until the planned cost is reached; gives the next call. */
  #submit(begin: number, end: number): number {
    const budget = this.#flopsPerSecond * SUBMIT_SECONDS;
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let cost = 0;
    let index = begin;
    let current: GPUComputePipeline | undefined;
    for (; index < end && (cost < budget || index === begin); index++) {
      const pipeline = this.#pipelines[index];
      const group = this.#groups[index];
      if (!pipeline || !group) throw new InternalError("a disposed program was run");
      if (pipeline !== current) pass.setPipeline(pipeline);
      current = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(
        this.#grids[3 * index] ?? 0,
        this.#grids[3 * index + 1],
        this.#grids[3 * index + 2],
      );
      cost += this.#costs[index] ?? 0;
    }
    pass.end();
    this.#device.gpu.queue.submit([encoder.finish()]);
    return index;
  }

  #link(compiled: readonly CompiledKernel[]): void {
    this.#pipelines = compiled.map((kernel) => kernel.pipeline);
    this.#groups = compiled.map((kernel, index) => this.#bindGroup(this.#call(index), kernel, index));
    this.#device.gpu.queue.writeBuffer(this.#uniforms, 0, this.#uniformData(compiled));
  }

  #call(index: number): LoweredCall {
    const call = this.plan.calls[index];
    invariant(call, `no call ${index}`);
    return call;
  }

  #uniformData(compiled: readonly CompiledKernel[]): Uint32Array<ArrayBuffer> {
    const words = UNIFORM_SLOT / 4;
    const data = new Uint32Array(words * Math.max(1, compiled.length));
    const floats = new Float32Array(data.buffer);
    compiled.forEach(({ shader }, index) => {
      const call = this.#call(index);
      shader.uniformFields.forEach(({ name, type }, field) => {
        const value = call.parameters[name] ?? this.#scalesOf(call, name);
        invariant(
          value !== undefined && field < words,
          () => `${call.label}: kernel ${call.kernel.name} needs the parameter "${name}"`,
        );
        (type === "u32" ? data : floats)[words * index + field] = value;
      });
    });
    return data;
  }

  #scalesOf(call: LoweredCall, field: string): number | undefined {
    const binding = call.kernel.bindings.find(({ name }) => scalesField(name) === field);
    const spec = binding && call.tensors[binding.name]?.weight;
    return spec && this.#resources.weights?.get(spec).scales;
  }

  #weights(): WeightStore {
    const { weights } = this.#resources;
    invariant(weights, "this program reads weights but was compiled without any");
    return weights;
  }

  #bindGroup(call: LoweredCall, { layout, shader }: CompiledKernel, index: number): GPUBindGroup {
    const entries = shader.present.map(({ name }, binding): GPUBindGroupEntry => {
      const tensor = call.tensors[name];
      invariant(tensor, () => `${call.label}: no tensor for ${name}`);
      return { binding, resource: this.#range(tensor) };
    });
    const uniform = { buffer: this.#uniforms, offset: UNIFORM_SLOT * index, size: UNIFORM_SLOT };
    return this.#device.createBindGroup({
      label: call.label,
      layout,
      entries: [...entries, { binding: entries.length, resource: uniform }],
    });
  }

  #range(tensor: Tensor): GPUBufferBinding {
    if (tensor.weight) return { buffer: this.#weights().get(tensor.weight).buffer };
    switch (tensor.role) {
      case "input": {
        const buffer = this.#inputs.get(tensor.id);
        invariant(buffer, () => `${tensor.name} belongs to another graph`);
        return { buffer };
      }
      case "activation": {
        const placement = this.plan.placements.get(tensor.id);
        invariant(placement, () => `${tensor.name} was not planned`);
        return { ...this.#arena.range(placement.offset), size: placement.bytes };
      }
      case "weight":
        throw new InternalError(`${tensor.name} is a weight without a specification`);
      default: {
        const { parameters } = this.#resources;
        invariant(parameters && tensor.offset !== undefined, () => `${tensor.name} needs LoRA buffers`);
        return {
          buffer: parameters.buffer(tensor.role),
          offset: 4 * tensor.offset,
          size: tensorBytes(tensor),
        };
      }
    }
  }
}

/** Calls before the first one of a later phase. */
function phaseEnds(calls: readonly LoweredCall[]): Record<"forward" | "backward" | "update", number> {
  const first = (isLater: (phase: LoweredCall["node"]["phase"]) => boolean) => {
    const index = calls.findIndex((call) => isLater(call.node.phase));
    return index < 0 ? calls.length : index;
  };
  return {
    forward: first((phase) => phase !== "forward"),
    backward: first((phase) => phase === "update"),
    update: calls.length,
  };
}

function createInput(device: EngineDevice, input: Tensor): GPUBuffer {
  const size = Math.max(16, tensorBytes(input));
  return device.createBuffer({
    label: input.name,
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
}

function createReadback(device: EngineDevice, tensor: Tensor): GPUBuffer {
  return device.createBuffer({
    label: `readback ${tensor.name}`,
    size: tensorBytes(tensor),
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
}

/** WebGPU allows 65 535 workgroups per dimension; flat grids continue in y. */
function foldGrid(call: LoweredCall): [number, number, number] {
  const [x, y, z] = call.workgroups;
  if (x <= MAX_GRID) return [x, y, z];
  invariant(y === 1, () => `${call.label}: a grid of ${x}×${y} cannot be folded`);
  return [MAX_GRID, Math.ceil(x / MAX_GRID), z];
}
