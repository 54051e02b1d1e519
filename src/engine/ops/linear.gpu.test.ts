import { beforeAll, describe, expect, it } from "vitest";
import { differentiate } from "../autodiff";
import type { EngineDevice } from "../device";
import { GraphBuilder } from "../graph";
import { GPU_POLICY } from "../policy";
import { STEP_SCALAR_COUNT } from "../stepScalars";
import { checkOp, measureOp, type CaseInput, type OpCase, type Values } from "../testing/opHarness";
import { testDevice, testDeviceWith } from "../testing/testDevice";
import type { ActivationType, WeightType } from "../tensor";
import { activation as activate, type ActivationKind } from "./activation";
import { linear, linearOp } from "./linear";

let device: EngineDevice;
let tiledDevice: EngineDevice;
beforeAll(async () => {
  device = await testDevice();
  tiledDevice = await testDeviceWith(GPU_POLICY);
});

interface Layer {
  images?: number;
  rows: number;
  K: number;
  N: number;
  /** LoRA rank and how many modules share the input. */
  rank?: number;
  parts?: number;
  bias?: boolean;
  residual?: boolean;
  rowVector?: boolean;
  activation?: ActivationKind;
  weightType?: WeightType;
  activationType?: ActivationType;
  weight?: Partial<CaseInput>;
}

const LORA_SCALE = 0.75;

function layerCase(layer: Layer): OpCase {
  const { images = 1, rows, K, N, rank = 0, parts = 1 } = layer;
  const inputs: Record<string, CaseInput> = {
    x: { shape: [images, rows, K], gradient: true },
    w: { shape: [N, K], as: "matrix", scale: 1 / Math.sqrt(K), ...layer.weight },
    ...(layer.bias && { bias: { shape: [N], as: "vector" } }),
    ...(layer.residual && { residual: { shape: [images, rows, N], gradient: true } }),
    ...(layer.rowVector && { rowVector: { shape: [images, N] } }),
    ...(rank && {
      down: { shape: [parts * rank, K], as: "parameter", scale: 1 / Math.sqrt(K), gradient: true },
      up: { shape: [N, rank], as: "parameter", gradient: true },
    }),
  };
  return {
    inputs,
    build: (graph, { x, w, down, up, bias, residual, rowVector }) => {
      if (!x || !w) throw new Error("inputs are missing");
      const options = {
        ...(bias && { bias }),
        // Through a nonlinear op, so that its gradient is more than the seed handed on.
        ...(residual && { residual: activate(graph, "residual", residual, "silu") }),
        ...(rowVector && { rowVector }),
        ...(down && up && { lora: { down, up, scale: LORA_SCALE, parts } }),
        ...(layer.activation && { activation: layer.activation }),
      };
      return [linear(graph, "layer", x, w, options)];
    },
    reference: (values) => [reference(layer, values)],
    ...(layer.weightType && { weightType: layer.weightType }),
    ...(layer.activationType && { activationType: layer.activationType }),
  };
}

function reference(layer: Layer, values: Values): Float64Array {
  const { images = 1, rows, K, N, rank = 0, parts = 1 } = layer;
  const get = (name: string, index: number) => values[name]?.[index] ?? 0;
  const M = images * rows;
  const h = product(
    M,
    parts * rank,
    K,
    (m, k) => get("x", m * K + k),
    (p, k) => get("down", p * K + k),
  );
  const partOf = (n: number) => Math.floor(n / (N / parts)) * rank;
  const main = product(
    M,
    N,
    K,
    (m, k) => get("x", m * K + k),
    (n, k) => get("w", n * K + k),
  );
  return main.map((sum, i) => {
    const m = Math.floor(i / N);
    const n = i % N;
    let total =
      sum +
      get("bias", n) +
      get("rowVector", Math.floor(m / rows) * N + n) +
      apply("silu", get("residual", i));
    for (let r = 0; r < rank; r++)
      total += LORA_SCALE * (h[m * parts * rank + partOf(n) + r] ?? 0) * get("up", n * rank + r);
    return apply(layer.activation, total);
  });
}

function product(
  M: number,
  N: number,
  K: number,
  a: (m: number, k: number) => number,
  b: (n: number, k: number) => number,
): Float64Array {
  const result = new Float64Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a(m, k) * b(n, k);
      result[m * N + n] = sum;
    }
  }
  return result;
}

function apply(kind: ActivationKind | undefined, v: number): number {
  if (kind === "silu") return v / (1 + Math.exp(-v));
  if (kind === "quick_gelu") return v / (1 + Math.exp(-1.702 * v));
  if (kind === "gelu") return 0.5 * v * (1 + erf(v / Math.SQRT2));
  return v;
}

/** Maclaurin series, exact to double precision for the |x| < 4 of these cases. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const LAYERS: Record<string, Layer> = {
  "plain, no tile fits": { rows: 77, K: 20, N: 28 },
  "bias, residual and a vector per image": {
    images: 2,
    rows: 9,
    K: 12,
    N: 36,
    bias: true,
    residual: true,
    rowVector: true,
  },
  "one row": { rows: 1, K: 64, N: 132, bias: true },
  "LoRA of rank 4": { rows: 13, K: 36, N: 20, rank: 4, bias: true },
  "q, k, v with LoRA of rank 16": { rows: 70, K: 40, N: 132, rank: 16, parts: 3, bias: true },
  "LoRA of rank 128 on a residual": { rows: 33, K: 68, N: 72, rank: 128, residual: true },
  "few tiles and a long contraction": {
    images: 2,
    rows: 17,
    K: 528,
    N: 36,
    rank: 8,
    bias: true,
    residual: true,
    rowVector: true,
  },
  "few tiles, q, k, v": { rows: 33, K: 272, N: 108, rank: 4, parts: 3 },
  "parts of one quad": { rows: 5, K: 8, N: 8, rank: 4, parts: 2 },
};

for (const family of ["portable", "workgroup memory"] as const) {
  const on = () => (family === "portable" ? device : tiledDevice);

  describe(`linear, ${family}`, () => {
    for (const [title, layer] of Object.entries(LAYERS)) {
      it(title, () => checkOp(on(), layerCase(layer)).then(expectRepeatable));
    }

    // The tiled kernels read weights through the same accessors: one type shows it, and each is seconds of compiling.
    const weightTypes = family === "portable" ? (["f16", "q8", "q4"] as const) : (["q8"] as const);
    for (const weightType of weightTypes) {
      it(`${weightType} weights, forward and backward`, () =>
        checkOp(on(), layerCase({ rows: 70, K: 96, N: 68, rank: 8, bias: true, weightType })).then(
          expectRepeatable,
        ));
      it(`${weightType} weights with blocks of zeros and of extremes`, () => {
        const weight = { values: (i: number) => (Math.floor(i / 32) % 3 === 0 ? 0 : i % 2 === 0 ? 3 : -3) };
        return checkOp(on(), layerCase({ rows: 34, K: 64, N: 12, weightType, weight })).then(
          expectRepeatable,
        );
      });
    }

    it("activations stored as halves", () =>
      checkOp(
        on(),
        layerCase({
          rows: 70,
          K: 64,
          N: 132,
          rank: 16,
          parts: 3,
          residual: true,
          activationType: "f16",
          weightType: "q8",
        }),
      ).then(expectRepeatable));

    it("the longest contraction of SD 1.5", () =>
      checkOp(on(), layerCase({ rows: 33, K: 23040, N: 8 })).then(expectRepeatable));
  });
}

function expectRepeatable(report: { repeatable: boolean }): void {
  expect(report.repeatable).toBe(true);
}

describe("linear", () => {
  for (const activation of ["silu", "gelu", "quick_gelu"] as const) {
    it(`followed by ${activation}`, () =>
      checkOp(device, layerCase({ rows: 7, K: 16, N: 20, bias: true, activation })).then(expectRepeatable));
  }

  it("adds LoRA gradients when a micro-batch accumulates", async () => {
    const testCase = layerCase({ rows: 9, K: 8, N: 12, rank: 4 });
    // The harness runs twice into the same gradient buffer, which starts at zero.
    const once = await measureOp(device, testCase);
    const twice = await measureOp(device, { ...testCase, scalars: { 4: 1 } });
    expect(once.repeatable).toBe(true);
    expect(twice.gradients["up"]).toEqual(once.gradients["up"]);
    expect(twice.gradients["down"]).toEqual(once.gradients["down"]);
    expect(twice.repeatable).toBe(false);
  });

  it("leaves the input's gradient out where nothing wants it", () => {
    const { graph } = loraGraph();
    expect(graph.nodes.map((node) => node.op.name)).toEqual(["linear", "loraHiddenGradient", "loraGradient"]);
  });

  it("counts the LoRA's work apart", () => {
    const { graph } = loraGraph();
    const [forward] = graph.nodes;
    expect(forward && linearOp.cost(forward as never)).toEqual({
      kind: "linear",
      flops: 2 * 6 * 8 * 12,
      loraFlops: 2 * 6 * 4 * (8 + 12),
    });
  });

  it("refuses weights that do not fit", () => {
    const graph = new GraphBuilder({ activationType: "f32" });
    const x = graph.input("x", [3, 8]);
    const w = graph.weight({ keys: ["w"], layout: "matrix", shape: [4, 12] });
    expect(() => linear(graph, "layer", x, w)).toThrow(/weight \[4,12\]/);
  });
});

function loraGraph(): { graph: GraphBuilder } {
  const graph = new GraphBuilder({ activationType: "f32" });
  const scalars = graph.input("scalars", [STEP_SCALAR_COUNT]);
  const x = graph.input("x", [6, 8]);
  const w = graph.weight({ keys: ["w"], layout: "matrix", shape: [12, 8] });
  const lora = { down: graph.parameter("down", [4, 8]), up: graph.parameter("up", [12, 4]), scale: 1 };
  const y = linear(graph, "layer", x, w, { lora });
  differentiate(graph, { scalars, seeds: [{ of: y, gradient: graph.input("seed", [6, 12]) }] });
  return { graph };
}
