import { beforeAll, describe, expect, it } from "vitest";
import type { EngineDevice } from "../device";
import { GraphBuilder } from "../graph";
import { GPU_POLICY, PORTABLE_POLICY } from "../policy";
import { checkOp, type CaseInput, type OpCase, type Values } from "../testing/opHarness";
import { testDeviceWith } from "../testing/testDevice";
import { groupNorm } from "./groupNorm";

interface Shape {
  /** [images, h, w, channels] */
  x: readonly [number, number, number, number];
  groups: number;
  silu?: boolean;
}

const EPS = 1e-5;

function reference({ x: [images, h, w, channels], groups, silu }: Shape, values: Values): Float64Array {
  const x = values["x"] ?? new Float64Array();
  const width = channels / groups;
  const y = new Float64Array(x.length);
  for (let image = 0; image < images; image++) {
    for (let group = 0; group < groups; group++) {
      const members: number[] = [];
      for (let pixel = 0; pixel < h * w; pixel++) {
        for (let c = 0; c < width; c++) members.push((image * h * w + pixel) * channels + group * width + c);
      }
      const mean = members.reduce((sum, at) => sum + (x[at] ?? 0), 0) / members.length;
      const variance = members.reduce((sum, at) => sum + ((x[at] ?? 0) - mean) ** 2, 0) / members.length;
      for (const at of members) {
        const c = at % channels;
        const normal = ((x[at] ?? 0) - mean) / Math.sqrt(variance + EPS);
        const v = normal * (values["gamma"]?.[c] ?? 0) + (values["beta"]?.[c] ?? 0);
        y[at] = silu ? v / (1 + Math.exp(-v)) : v;
      }
    }
  }
  return y;
}

function normCase(shape: Shape, x: Partial<CaseInput> = {}): OpCase {
  const channels = shape.x[3];
  return {
    inputs: {
      x: { shape: shape.x, gradient: true, ...x },
      gamma: { shape: [channels], as: "vector", mean: 1, scale: 0.3 },
      beta: { shape: [channels], as: "vector" },
    },
    build: (g, { x: input, gamma, beta }) => {
      if (!input || !gamma || !beta) throw new Error("the case lacks an input");
      return [
        groupNorm(g, "norm", input, {
          gamma,
          beta,
          groups: shape.groups,
          eps: EPS,
          ...(shape.silu && { silu: true }),
        }),
      ];
    },
    reference: (values) => [reference(shape, values)],
  };
}

const shapes: Record<string, Shape> = {
  "groups of 1 channel": { x: [2, 5, 3, 8], groups: 8 },
  "groups of 2 channels, odd size, batch 3": { x: [3, 7, 9, 64], groups: 32 },
  "groups of 10 channels": { x: [1, 6, 7, 40], groups: 4, silu: true },
  "groups of 20 channels, batch 3": { x: [3, 7, 9, 80], groups: 4, silu: true },
  "3 groups of 12 channels": { x: [2, 4, 4, 36], groups: 3, silu: true },
  "one group, one pixel": { x: [2, 1, 1, 8], groups: 1 },
  "several chunks, the last one short": { x: [2, 37, 41, 8], groups: 2, silu: true },
};

describe.each([
  ["one thread per group", PORTABLE_POLICY],
  ["workgroup memory", GPU_POLICY],
])("groupNorm, %s", (_, policy) => {
  let device: EngineDevice;
  beforeAll(async () => {
    device = await testDeviceWith(policy);
  });

  for (const [name, shape] of Object.entries(shapes)) {
    it(name, async () => {
      await checkOp(device, normCase(shape));
    });
  }

  it("loses no digits when the mean is 30 standard deviations", async () => {
    await checkOp(device, normCase({ x: [2, 33, 31, 20], groups: 2 }, { mean: -30 }));
  });

  it("stays finite on equal values", async () => {
    const shape: Shape = { x: [1, 7, 9, 8], groups: 2, silu: true };
    // The reference bends within one finite-difference step here, whose size is near √eps: hence the wide limit.
    const { outputs } = await checkOp(device, {
      ...normCase(shape, { values: () => 0.5 }),
      gradientTolerance: 5e-3,
    });
    expect(outputs[0]?.every(Number.isFinite)).toBe(true);
  });

  it("adds to a gradient collected before", async () => {
    const shape: Shape = { x: [2, 3, 5, 12], groups: 2, silu: true };
    const once = normCase(shape);
    const build: OpCase["build"] = (g, t) => [...once.build(g, t), ...once.build(g, t)];
    await checkOp(device, {
      ...once,
      build,
      reference: (values) => [reference(shape, values), reference(shape, values)],
    });
  });

  it("stores f16", async () => {
    await checkOp(device, {
      ...normCase({ x: [3, 7, 9, 40], groups: 4, silu: true }),
      activationType: "f16",
    });
  });

  it("refuses groups that do not divide the channels", () => {
    const g = new GraphBuilder({ activationType: "f32" });
    const gamma = g.weight({ keys: ["gamma"], layout: "vector", shape: [8] });
    expect(() => groupNorm(g, "norm", g.input("x", [1, 4, 8]), { gamma, beta: gamma, groups: 3 })).toThrow(
      "8 channels in 3 groups",
    );
  });
});
