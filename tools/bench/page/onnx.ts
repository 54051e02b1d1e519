/**
 * onnxruntime-web's WebGPU backend, float32. Weights are initializers, so that it may pack them; inputs and outputs
 * stay on the GPU. Convolutions get channels-first tensors, which is what ONNX defines.
 */
import * as ort from "onnxruntime-web/webgpu";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import type { AttentionCase, BenchCase, ConvCase, MatmulCase } from "../types";
import type { CaseData } from "./cases";
import { columnsOf, kernelsFirst, transposed, type Contender, type Prepared } from "./contender";
import { onnxModel, type OnnxGraph } from "../../lib/onnxModel";

ort.env.wasm.wasmPaths = { wasm };
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

export const onnxruntime: Contender = {
  name: "onnxruntime-web",
  ways: (c, data) => waysOf(c, data).map((way) => () => prepare(way)),
};

/** A graph whose sizes are all known, with one output. */
interface FixedGraph extends OnnxGraph {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly output: { readonly name: string; readonly dims: readonly number[] };
}

interface Way {
  readonly variant: string;
  readonly graph: FixedGraph;
  readonly feeds: Readonly<Record<string, Float32Array>>;
  /** From the output's layout to Weft's. */
  readonly restore: (output: Float32Array) => Float32Array;
}

function waysOf(c: BenchCase, data: CaseData): Way[] {
  switch (c.kind) {
    case "matmul":
      return [matmul(c, data)];
    case "conv":
      return [conv(c, data)];
    case "attention":
      return [fusedAttention(c, data), composedAttention(c, data)];
  }
}

function matmul(c: MatmulCase, { x, w }: CaseData): Way {
  const graph: FixedGraph = {
    inputs: { x: [c.rows, c.inputs] },
    weights: { w: { dims: [c.inputs, c.outputs], data: transposed(w, c.outputs, c.inputs) } },
    nodes: [{ type: "MatMul", inputs: ["x", "w"], output: "y" }],
    output: { name: "y", dims: [c.rows, c.outputs] },
  };
  return { variant: "MatMul", graph, feeds: { x }, restore: (y) => y };
}

function conv(c: ConvCase, { x, w }: CaseData): Way {
  const pixels = c.size ** 2;
  const attributes = { pads: [1, 1, 1, 1], kernel_shape: [3, 3] };
  const graph: FixedGraph = {
    inputs: { x: [1, c.inputs, c.size, c.size] },
    weights: { w: { dims: [c.outputs, c.inputs, 3, 3], data: kernelsFirst(w, c.outputs, c.inputs) } },
    nodes: [{ type: "Conv", inputs: ["x", "w"], output: "y", attributes }],
    output: { name: "y", dims: [1, c.outputs, c.size, c.size] },
  };
  const feeds = { x: transposed(x, pixels, c.inputs) };
  return { variant: "Conv", graph, feeds, restore: (y) => transposed(y, c.outputs, pixels) };
}

function fusedAttention(c: AttentionCase, { x, w }: CaseData): Way {
  const width = c.heads * c.headDim;
  const keys = c.keys ?? c.queries;
  const graph: FixedGraph = {
    inputs: { q: [1, c.queries, width], k: [1, keys, width], v: [1, keys, width] },
    weights: {},
    nodes: [
      {
        type: "MultiHeadAttention",
        domain: "com.microsoft",
        inputs: ["q", "k", "v"],
        output: "o",
        attributes: { num_heads: c.heads },
      },
    ],
    output: { name: "o", dims: [1, c.queries, width] },
  };
  const feeds = { q: x, k: columnsOf(w, keys, 2, 0), v: columnsOf(w, keys, 2, 1) };
  return { variant: "MultiHeadAttention", graph, feeds, restore: (o) => o };
}

/** Three nodes over heads that already lie apart, keys already transposed: as kind as it gets. */
function composedAttention(c: AttentionCase, { x, w }: CaseData): Way {
  const { heads, headDim, queries, keys = queries } = c;
  const scaled = x.map((value) => value * headDim ** -0.5);
  const k = splitHeads(columnsOf(w, keys, 2, 0), keys, heads);
  const graph: FixedGraph = {
    inputs: { q: [heads, queries, headDim], k: [heads, headDim, keys], v: [heads, keys, headDim] },
    weights: {},
    nodes: [
      { type: "MatMul", inputs: ["q", "k"], output: "s" },
      { type: "Softmax", inputs: ["s"], output: "p", attributes: { axis: -1 } },
      { type: "MatMul", inputs: ["p", "v"], output: "o" },
    ],
    output: { name: "o", dims: [heads, queries, headDim] },
  };
  const feeds = {
    q: joined(splitHeads(scaled, queries, heads)),
    k: joined(k.map((head) => transposed(head, keys, headDim))),
    v: joined(splitHeads(columnsOf(w, keys, 2, 1), keys, heads)),
  };
  return { variant: "MatMul + Softmax + MatMul", graph, feeds, restore: (o) => joinHeads(o, queries, heads) };
}

function splitHeads(data: Float32Array, tokens: number, heads: number): Float32Array[] {
  return Array.from({ length: heads }, (_, head) => columnsOf(data, tokens, heads, head));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** [heads, tokens, d] to [tokens, heads·d]. */
function joinHeads(data: Float32Array, tokens: number, heads: number): Float32Array {
  const d = data.length / tokens / heads;
  const result = new Float32Array(data.length);
  for (let row = 0; row < heads * tokens; row++) {
    const head = Math.floor(row / tokens);
    result.set(data.subarray(row * d, (row + 1) * d), ((row % tokens) * heads + head) * d);
  }
  return result;
}

async function prepare({ variant, graph, feeds, restore }: Way): Promise<Prepared> {
  const session = await ort.InferenceSession.create(onnxModel(graph), {
    executionProviders: ["webgpu"],
    preferredOutputLocation: "gpu-buffer",
  });
  const device: GPUDevice = await ort.env.webgpu.device;
  const buffers: GPUBuffer[] = [];
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, values]) => {
      const buffer = upload(device, values);
      buffers.push(buffer);
      const dims = graph.inputs[name] ?? [];
      return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims })];
    }),
  );
  let last: ort.Tensor | undefined;
  return {
    variant,
    run: async () => {
      last?.dispose();
      last = (await session.run(inputs))[graph.output.name];
    },
    finished: () => device.queue.onSubmittedWorkDone(),
    result: async () => restore((await last?.getData()) as Float32Array),
    dispose: async () => {
      last?.dispose();
      for (const buffer of buffers) buffer.destroy();
      await session.release();
    },
  };
}

function upload(device: GPUDevice, values: Float32Array): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: Math.ceil(values.byteLength / 16) * 16, usage });
  device.queue.writeBuffer(buffer, 0, values.buffer, values.byteOffset, values.byteLength);
  return buffer;
}
