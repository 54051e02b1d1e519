import { beforeAll, describe, expect, it } from "vitest";
import type { EngineDevice } from "../device";
import { GPU_POLICY, PORTABLE_POLICY } from "../policy";
import { checkOp, type CaseInput, type OpCase, type Values } from "../testing/opHarness";
import { testDeviceWith } from "../testing/testDevice";
import { layerNorm } from "./layerNorm";

const EPS = 1e-5;

function reference(width: number, values: Values): Float64Array {
  const x = values["x"] ?? new Float64Array();
  const y = new Float64Array(x.length);
  for (let begin = 0; begin < x.length; begin += width) {
    const row = x.subarray(begin, begin + width);
    const mean = row.reduce((sum, v) => sum + v, 0) / width;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / width;
    row.forEach((v, c) => {
      const normal = (v - mean) / Math.sqrt(variance + EPS);
      y[begin + c] = normal * (values["gamma"]?.[c] ?? 0) + (values["beta"]?.[c] ?? 0);
    });
  }
  return y;
}

function normCase(shape: readonly number[], x: Partial<CaseInput> = {}): OpCase {
  const width = shape.at(-1) ?? 0;
  return {
    inputs: {
      x: { shape, gradient: true, ...x },
      gamma: { shape: [width], as: "vector", mean: 1, scale: 0.3 },
      beta: { shape: [width], as: "vector" },
    },
    build: (g, { x: input, gamma, beta }) => {
      if (!input || !gamma || !beta) throw new Error("the case lacks an input");
      return [layerNorm(g, "norm", input, { gamma, beta, eps: EPS })];
    },
    reference: (values) => [reference(width, values)],
  };
}

describe.each([
  ["one thread per row", PORTABLE_POLICY],
  ["workgroup memory", GPU_POLICY],
])("layerNorm, %s", (_, policy) => {
  let device: EngineDevice;
  beforeAll(async () => {
    device = await testDeviceWith(policy);
  });

  it.each([[[3, 77, 20]], [[1, 1, 4]], [[2, 63, 320]]])("normalises [%s]", async (shape) => {
    await checkOp(device, normCase(shape));
  });

  it("loses no digits when the mean is 30 standard deviations", async () => {
    await checkOp(device, normCase([2, 9, 768], { mean: 30 }));
  });

  it("stays finite on equal values", async () => {
    // The reference bends within one finite-difference step here, whose size is near √eps: hence the wide limit.
    const { outputs, gradients } = await checkOp(device, {
      ...normCase([1, 5, 8], { values: () => -3 }),
      gradientTolerance: 5e-3,
    });
    expect(outputs[0]?.every(Number.isFinite)).toBe(true);
    expect(gradients["x"]?.every(Number.isFinite)).toBe(true);
  });

  it("adds to a gradient collected before", async () => {
    const once = normCase([2, 5, 12]);
    const build: OpCase["build"] = (g, t) => [...once.build(g, t), ...once.build(g, t)];
    await checkOp(device, {
      ...once,
      build,
      reference: (values) => [reference(12, values), reference(12, values)],
    });
  });

  it("stores f16", async () => {
    await checkOp(device, { ...normCase([2, 63, 40]), activationType: "f16" });
  });
});
