/** Weft's own kernels through the same graph, planner and program as in training. */
import type { EngineDevice } from "../../../src/engine/device";
import { GraphBuilder } from "../../../src/engine/graph";
import type { KernelCall } from "../../../src/engine/op";
import { lower } from "../../../src/engine/lowering";
import { attention } from "../../../src/engine/ops/attention";
import { conv3x3 } from "../../../src/engine/ops/conv3x3";
import { linear } from "../../../src/engine/ops/linear";
import { plan } from "../../../src/engine/planner";
import { Program } from "../../../src/engine/program";
import type { Tensor, WeightSpec } from "../../../src/engine/tensor";
import { WeightStore } from "../../../src/engine/weightStore";
import type { BenchCase } from "../types";
import type { CaseData } from "./cases";
import { columnsOf, type Contender, type Prepared } from "./contender";

export function weft(device: EngineDevice): Contender {
  return { name: "weft", ways: (c, data) => [() => prepare(device, c, data)] };
}

/** The kernel with the tile baked into it, e.g. `linear OWN 4 LANES 4`. */
function variantName({ kernel, constants }: KernelCall): string {
  const tile = Object.entries(constants).flatMap(([name, value]) =>
    typeof value === "number" ? `${name} ${value}` : [],
  );
  return [kernel.name, ...tile].join(" ");
}

interface Built {
  readonly graph: GraphBuilder;
  readonly inputs: readonly (readonly [Tensor, Float32Array<ArrayBuffer>])[];
  readonly weights: readonly (readonly [WeightSpec, Float32Array<ArrayBuffer>])[];
  readonly output: Tensor;
}

async function prepare(device: EngineDevice, c: BenchCase, data: CaseData): Promise<Prepared> {
  const { graph, inputs, weights, output } = build(c, data);
  graph.keep(output);
  const execution = plan(graph, lower(graph, device.policy), { weightType: "f32", flatBuffers: 0 });
  const store = new WeightStore(device, "f32");
  for (const [spec, values] of weights) store.put(spec, values);
  const program = await Program.compile(device, execution, { weights: store });
  for (const [input, values] of inputs) program.write(input, values);
  return {
    variant: [...new Set(execution.calls.map(variantName))].join(" + "),
    run: () => program.run(),
    finished: () => program.finished(),
    result: () => program.read(output),
    dispose: () => {
      program.dispose();
      store.dispose();
    },
  };
}

function build(c: BenchCase, { x, w }: CaseData): Built {
  const graph = new GraphBuilder({ activationType: "f32" });
  switch (c.kind) {
    case "matmul": {
      const spec: WeightSpec = { keys: ["w"], layout: "matrix", shape: [c.outputs, c.inputs] };
      const input = graph.input("x", [c.rows, c.inputs]);
      const output = linear(graph, "linear", input, graph.weight(spec));
      return { graph, inputs: [[input, x]], weights: [[spec, w]], output };
    }
    case "conv": {
      const spec: WeightSpec = { keys: ["w"], layout: "conv3x3", shape: [c.outputs, 9, c.inputs] };
      const input = graph.input("x", [1, c.size, c.size, c.inputs]);
      const output = conv3x3(graph, "conv", input, { weight: graph.weight(spec) });
      return { graph, inputs: [[input, x]], weights: [[spec, w]], output };
    }
    case "attention":
      return buildAttention(graph, c.heads, c.heads * c.headDim, c.queries, c.keys, { x, w });
  }
}

function buildAttention(
  graph: GraphBuilder,
  heads: number,
  width: number,
  queries: number,
  keys: number | undefined,
  { x, w }: CaseData,
): Built {
  if (keys !== undefined) {
    const q = graph.input("q", [1, queries, width]);
    const kv = graph.input("kv", [1, keys, 2 * width]);
    const output = attention(graph, "attention", { q, kv }, { heads });
    const inputs = [[q, x] as const, [kv, w] as const];
    return { graph, inputs, weights: [], output };
  }
  const qkv = graph.input("qkv", [1, queries, 3 * width]);
  const output = attention(graph, "attention", { qkv }, { heads });
  return { graph, inputs: [[qkv, interleaved(x, w, queries)]], weights: [], output };
}

/** q [T, C] and k | v [T, 2C] to q | k | v [T, 3C]. */
function interleaved(q: Float32Array, kv: Float32Array, tokens: number): Float32Array<ArrayBuffer> {
  const parts = [q, columnsOf(kv, tokens, 2, 0), columnsOf(kv, tokens, 2, 1)];
  const width = q.length / tokens;
  const result = new Float32Array(3 * q.length);
  parts.forEach((part, index) => {
    for (let t = 0; t < tokens; t++) {
      result.set(part.subarray(t * width, (t + 1) * width), (3 * t + index) * width);
    }
  });
  return result;
}
