/**
 * Memory is planned, not discovered: lifetimes of all activations over the flat list of calls, one arena with reuse,
 * and the bytes of everything before anything is allocated.
 */
import type { GraphBuilder } from "./graph";
import type { LoweredCall } from "./lowering";
import { tensorBytes, type Tensor, type WeightType } from "./tensor";
import { weightBytes, weightTypeFor } from "./weights";

/** Storage binding offsets must be multiples of 256 on the strictest adapters. */
const ALIGNMENT = 256;
/** One uniform slot per call. */
export const UNIFORM_SLOT = 256;

export interface Placement {
  /** Byte offset in the arena. */
  readonly offset: number;
  readonly bytes: number;
}

export interface PlannedBytes {
  readonly weights: number;
  /** Forward activations that the backward pass needs. */
  readonly activations: number;
  /** Everything else in the arena: temporaries, gradients in flight, fragmentation. */
  readonly scratch: number;
  /** LoRA values, gradients and both moments. */
  readonly lora: number;
  /** Inputs, uniforms and readback buffers. */
  readonly staging: number;
  readonly total: number;
}

export interface ExecutionPlan {
  readonly graph: GraphBuilder;
  readonly calls: readonly LoweredCall[];
  readonly placements: ReadonlyMap<number, Placement>;
  readonly arenaBytes: number;
  readonly weightType: WeightType;
  readonly bytes: PlannedBytes;
  readonly largestBinding: number;
}

export interface PlanOptions {
  readonly weightType: WeightType;
  /** How many flat LoRA buffers this program needs: 4 to train, 1 to sample, 0 without LoRA. */
  readonly flatBuffers: number;
  /** No tensor may straddle a multiple of this (the adapter's largest buffer). */
  readonly arenaPiece?: number;
}

/** Plans a lowered graph. Needs no GPU. */
export function plan(
  graph: GraphBuilder,
  calls: readonly LoweredCall[],
  options: PlanOptions,
): ExecutionPlan {
  const lifetimes = lifetimesOf(graph, calls);
  const { placements, arenaBytes } = placeGreedily(lifetimes, options.arenaPiece ?? Number.MAX_SAFE_INTEGER);
  const activations = savedBytes(calls, lifetimes);
  const weights = sum(graph.weights.map((tensor) => planWeightBytes(tensor, options.weightType)));
  const lora = options.flatBuffers * Math.max(4 * graph.parameters.length, ALIGNMENT);
  const staging = stagingBytes(graph, calls);
  const bytes: PlannedBytes = {
    weights,
    activations,
    scratch: arenaBytes - activations,
    lora: options.flatBuffers === 0 ? 0 : lora,
    staging,
    total: weights + arenaBytes + (options.flatBuffers === 0 ? 0 : lora) + staging,
  };
  const largestBinding = Math.max(
    0,
    ...lifetimes.map((life) => life.bytes),
    ...graph.weights.map((tensor) => planWeightBytes(tensor, options.weightType)),
  );
  return { graph, calls, placements, arenaBytes, weightType: options.weightType, bytes, largestBinding };
}

function planWeightBytes(tensor: Tensor, requested: WeightType): number {
  return tensor.weight ? weightBytes(tensor.weight, weightTypeFor(tensor.weight, requested)) : 0;
}

interface Lifetime {
  readonly tensor: Tensor;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/** First and last call that touches each activation; kept ones live to the end. */
function lifetimesOf(graph: GraphBuilder, calls: readonly LoweredCall[]): Lifetime[] {
  const lives = new Map<number, Lifetime>();
  calls.forEach((call, index) => {
    for (const tensor of Object.values(call.tensors)) {
      if (tensor?.role !== "activation") continue;
      const life = lives.get(tensor.id);
      if (life) life.last = graph.isKept(tensor) ? calls.length : index;
      else lives.set(tensor.id, newLifetime(graph, tensor, index, calls.length));
    }
  });
  return [...lives.values()];
}

function newLifetime(graph: GraphBuilder, tensor: Tensor, index: number, end: number): Lifetime {
  return {
    tensor,
    bytes: align(tensorBytes(tensor)),
    first: index,
    last: graph.isKept(tensor) ? end : index,
  };
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Largest first, each at the lowest offset where nothing alive at the same time lies. */
function placeGreedily(
  lifetimes: readonly Lifetime[],
  piece: number,
): { placements: Map<number, Placement>; arenaBytes: number } {
  const placements = new Map<number, Placement>();
  const placed: { life: Lifetime; offset: number }[] = [];
  let arenaBytes = 0;
  for (const life of [...lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const neighbours = placed
      .filter(({ life: other }) => other.first <= life.last && life.first <= other.last)
      .sort((a, b) => a.offset - b.offset);
    const offset = lowestGap(life.bytes, neighbours, piece);
    placed.push({ life, offset });
    placements.set(life.tensor.id, { offset, bytes: life.bytes });
    arenaBytes = Math.max(arenaBytes, offset + life.bytes);
  }
  return { placements, arenaBytes };
}

function lowestGap(
  bytes: number,
  neighbours: readonly { life: Lifetime; offset: number }[],
  piece: number,
): number {
  let offset = 0;
  for (const neighbour of neighbours) {
    offset = clearOfPieceBorder(offset, bytes, piece);
    if (offset + bytes <= neighbour.offset) return offset;
    offset = Math.max(offset, neighbour.offset + neighbour.life.bytes);
  }
  return clearOfPieceBorder(offset, bytes, piece);
}

function clearOfPieceBorder(offset: number, bytes: number, piece: number): number {
  const used = offset % piece;
  return used + bytes <= piece ? offset : offset - used + piece;
}

/** Bytes of forward activations alive when the backward pass begins. */
function savedBytes(calls: readonly LoweredCall[], lifetimes: readonly Lifetime[]): number {
  const border = calls.findIndex((call) => call.node.phase !== "forward");
  if (border < 0) return 0;
  return sum(
    lifetimes.filter((life) => life.first < border && life.last >= border).map((life) => life.bytes),
  );
}

function stagingBytes(graph: GraphBuilder, calls: readonly LoweredCall[]): number {
  const inputs = sum(graph.inputs.map((tensor) => align(tensorBytes(tensor))));
  const readback = sum(keptTensors(graph).map((tensor) => align(tensorBytes(tensor))));
  return inputs + readback + UNIFORM_SLOT * Math.max(1, calls.length);
}

/** Outputs that will be read back, each with its own mapped buffer. */
export function keptTensors(graph: GraphBuilder): Tensor[] {
  return graph.nodes.flatMap((node) => node.outputs.filter((output) => graph.isKept(output)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
