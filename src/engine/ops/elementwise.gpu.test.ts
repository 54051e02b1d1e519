/** The ops without sums: activation functions, geglu, add, concat, slice, embedding. */
import { beforeAll, describe, expect, it } from "vitest";
import type { EngineDevice } from "../device";
import { GraphBuilder } from "../graph";
import { checkOp, type OpCase, type Values } from "../testing/opHarness";
import { testDevice } from "../testing/testDevice";
import { activation, type ActivationKind } from "./activation";
import { add } from "./add";
import { concat, sliceChannels } from "./concat";
import { embedding } from "./embedding";
import { geglu } from "./geglu";

let device: EngineDevice;
beforeAll(async () => {
  device = await testDevice();
});

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

/** erf by its Maclaurin series inside ±3 and by the continued fraction of erfc outside: full double precision. */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x > 3) {
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
    return 1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
  }
  let term = x;
  let sum = x;
  for (let k = 1; k < 80; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const functions: Record<ActivationKind, (v: number) => number> = {
  silu: (v) => v * sigmoid(v),
  quick_gelu: (v) => v * sigmoid(1.702 * v),
  gelu: (v) => 0.5 * v * (1 + erf(v / Math.SQRT2)),
};
const kinds: ActivationKind[] = ["silu", "quick_gelu", "gelu"];

const of = (values: Values, name: string) => values[name] ?? new Float64Array();

function activationCase(kind: ActivationKind): OpCase {
  return {
    inputs: { x: { shape: [3, 7, 9, 4], scale: 3, gradient: true } },
    build: (g, { x }) => (x ? [activation(g, "f", x, kind)] : []),
    reference: (values) => [of(values, "x").map(functions[kind])],
  };
}

describe("activation", () => {
  it.each(kinds)("%s", async (kind) => {
    await checkOp(device, activationCase(kind));
  });

  it.each(kinds)("%s is finite and right far from zero", async (kind) => {
    const { outputs, gradients } = await checkOp(device, {
      inputs: { x: { shape: [1, 32], values: (i) => (i < 16 ? -1 : 1) * 2 ** (i % 16), gradient: true } },
      build: (g, { x }) => (x ? [activation(g, "f", x, kind)] : []),
      reference: (values) => [of(values, "x").map(functions[kind])],
    });
    expect(outputs[0]?.every(Number.isFinite)).toBe(true);
    expect(gradients["x"]?.every(Number.isFinite)).toBe(true);
  });

  it("adds to a gradient collected before", async () => {
    await checkOp(device, {
      inputs: { x: { shape: [5, 12], gradient: true } },
      build: (g, { x }) => (x ? [activation(g, "a", x, "silu"), activation(g, "b", x, "gelu")] : []),
      reference: (values) => [of(values, "x").map(functions.silu), of(values, "x").map(functions.gelu)],
    });
  });

  it("stores f16", async () => {
    await checkOp(device, { ...activationCase("gelu"), activationType: "f16" });
  });
});

function gegluReference(values: Values, width: number): Float64Array {
  const x = of(values, "x");
  return Float64Array.from({ length: x.length / 2 }, (_, i) => {
    const at = Math.floor(i / width) * 2 * width + (i % width);
    return (x[at] ?? 0) * functions.gelu(x[at + width] ?? 0);
  });
}

describe("geglu", () => {
  const gegluCase: OpCase = {
    inputs: { x: { shape: [3, 21, 24], gradient: true } },
    build: (g, { x }) => (x ? [geglu(g, "geglu", x)] : []),
    reference: (values) => [gegluReference(values, 12)],
  };

  it("multiplies the first half by gelu of the second", async () => {
    await checkOp(device, gegluCase);
  });

  it("adds to a gradient collected before", async () => {
    await checkOp(device, {
      ...gegluCase,
      build: (g, { x }) => (x ? [geglu(g, "a", x), geglu(g, "b", x)] : []),
      reference: (values) => [gegluReference(values, 12), gegluReference(values, 12)],
    });
  });

  it("stores f16", async () => {
    await checkOp(device, { ...gegluCase, activationType: "f16" });
  });
});

describe("add", () => {
  const sumOf = (values: Values) =>
    of(values, "a").map(
      (v, i) => functions.silu(v) + (values["b"]?.[i] ?? 0) * sigmoid(values["b"]?.[i] ?? 0),
    );
  // Both operands pass through SiLU, so that the gradients that arrive are not the seed itself.
  const addCase: OpCase = {
    inputs: { a: { shape: [3, 7, 9, 4], gradient: true }, b: { shape: [3, 7, 9, 4], gradient: true } },
    build: (g, { a, b }) =>
      a && b ? [add(g, "sum", activation(g, "a", a, "silu"), activation(g, "b", b, "silu"))] : [],
    reference: (values) => [sumOf(values)],
  };

  it("passes the gradient to both operands", async () => {
    await checkOp(device, addCase);
  });

  it("sums where several gradients pass through", async () => {
    await checkOp(device, {
      ...addCase,
      build: (g, { a, b }) => {
        if (!a || !b) return [];
        const [x, y] = [activation(g, "a", a, "silu"), activation(g, "b", b, "silu")];
        return [add(g, "first", x, y), add(g, "second", x, y)];
      },
      reference: (values) => [sumOf(values), sumOf(values)],
    });
  });

  it("stores f16", async () => {
    await checkOp(device, { ...addCase, activationType: "f16" });
  });
});

function interleave(a: Float64Array, b: Float64Array, widthA: number, widthB: number): Float64Array {
  const width = widthA + widthB;
  return Float64Array.from({ length: a.length + b.length }, (_, i) => {
    const [row, c] = [Math.floor(i / width), i % width];
    return (c < widthA ? a[row * widthA + c] : b[row * widthB + c - widthA]) ?? 0;
  });
}

describe("concat", () => {
  const concatCase: OpCase = {
    inputs: { a: { shape: [3, 7, 9, 8], gradient: true }, b: { shape: [3, 7, 9, 12], gradient: true } },
    build: (g, { a, b }) => (a && b ? [concat(g, "both", a, b)] : []),
    reference: (values) => [interleave(of(values, "a"), of(values, "b"), 8, 12)],
  };

  it("puts channels side by side and slices the gradient", async () => {
    await checkOp(device, concatCase);
  });

  it("adds to a gradient collected before", async () => {
    await checkOp(device, {
      ...concatCase,
      build: (g, { a, b }) => (a && b ? [concat(g, "one", a, b), concat(g, "two", b, a)] : []),
      reference: (values) => [
        interleave(of(values, "a"), of(values, "b"), 8, 12),
        interleave(of(values, "b"), of(values, "a"), 12, 8),
      ],
    });
  });

  it("stores f16", async () => {
    await checkOp(device, { ...concatCase, activationType: "f16" });
  });

  it("slices forward values", async () => {
    await checkOp(device, {
      inputs: { x: { shape: [2, 5, 20] } },
      build: (g, { x }) => (x ? [sliceChannels(g, "slice", x, 8, 4)] : []),
      reference: (values) => [of(values, "x").filter((_, i) => i % 20 >= 8 && i % 20 < 12)],
    });
  });

  it("refuses rows that differ", () => {
    const g = new GraphBuilder({ activationType: "f32" });
    expect(() => concat(g, "both", g.input("a", [2, 4]), g.input("b", [3, 4]))).toThrow("internal: concat");
  });
});

describe("embedding", () => {
  const ids = [4, 0, 10, 3, 3, 7, 1, 9, 2, 10];
  it.each(["f32", "f16"] as const)("adds token and position rows, %s tables", async (weightType) => {
    await checkOp(device, {
      weightType,
      inputs: {
        ids: { shape: [2, 5], as: "u32", values: (i) => ids[i] ?? 0 },
        table: { shape: [11, 8], as: "table" },
        position: { shape: [7, 8], as: "table" },
      },
      build: (g, t) =>
        t["ids"] && t["table"] && t["position"]
          ? [embedding(g, "embed", t["ids"], t["table"], t["position"])]
          : [],
      reference: (values) => [
        Float64Array.from({ length: 80 }, (_, i) => {
          const [token, c] = [Math.floor(i / 8), i % 8];
          return (
            (values["table"]?.[(ids[token] ?? 0) * 8 + c] ?? 0) +
            (values["position"]?.[(token % 5) * 8 + c] ?? 0)
          );
        }),
      ],
    });
  });
});
