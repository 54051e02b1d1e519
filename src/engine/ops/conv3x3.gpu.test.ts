import { beforeAll, describe, expect, it } from "vitest";
import type { EngineDevice } from "../device";
import { GraphBuilder } from "../graph";
import { GPU_POLICY, PORTABLE_POLICY } from "../policy";
import { checkOp, type OpCase, type Values } from "../testing/opHarness";
import { testDevice, testDeviceWith } from "../testing/testDevice";
import type { WeightType } from "../tensor";
import { activation } from "./activation";
import { conv3x3, conv3x3Op, type ConvOptions } from "./conv3x3";

let device: EngineDevice;
beforeAll(async () => {
  device = await testDevice();
});

interface Shape {
  images: number;
  h: number;
  w: number;
  ci: number;
  co: number;
  stride?: 1 | 2;
  padding?: "same" | "end";
  upsampleTo?: readonly [number, number];
  rowOffset?: number;
}

/** Plain loops over the padded, stretched grid; the residual passes through SiLU first. */
function reference(shape: Shape, values: Values): Float64Array {
  const { images, h, w, ci, co, stride = 1, padding = "same", upsampleTo } = shape;
  const [gridH, gridW] = upsampleTo ?? [h, w];
  const [outH, outW] = outSize(shape);
  const before = padding === "same" ? 1 : 0;
  const get = (name: string, index: number) => values[name]?.[index] ?? 0;
  const y = new Float64Array(images * outH * outW * co);
  const rowWidth = (values["rowVector"]?.length ?? 0) / images;
  for (let at = 0; at < y.length; at++) {
    const [image = 0, oy = 0, ox = 0, c = 0] = unravel(at, [images, outH, outW, co]);
    const residual = get("residual", at);
    let sum = get("bias", c) + residual / (1 + Math.exp(-residual));
    if (values["rowVector"]) sum += get("rowVector", image * rowWidth + (shape.rowOffset ?? 0) + c);
    for (let ky = 0; ky < 3; ky++) {
      for (let kx = 0; kx < 3; kx++) {
        const gy = oy * stride + ky - before;
        const gx = ox * stride + kx - before;
        if (gy < 0 || gx < 0 || gy >= gridH || gx >= gridW) continue;
        const pixel = (image * h + Math.floor((gy * h) / gridH)) * w + Math.floor((gx * w) / gridW);
        for (let k = 0; k < ci; k++)
          sum += get("x", pixel * ci + k) * get("weight", (c * 9 + 3 * ky + kx) * ci + k);
      }
    }
    y[at] = sum;
  }
  return y;
}

function outSize({ h, w, stride = 1, padding = "same", upsampleTo }: Shape): [number, number] {
  const [gridH, gridW] = upsampleTo ?? [h, w];
  const padded = padding === "same" ? 2 : 1;
  return [Math.floor((gridH + padded - 3) / stride) + 1, Math.floor((gridW + padded - 3) / stride) + 1];
}

function unravel(index: number, shape: readonly number[]): number[] {
  const result: number[] = [];
  for (const extent of [...shape].reverse()) {
    result.unshift(index % extent);
    index = Math.floor(index / extent);
  }
  return result;
}

function convCase(shape: Shape, extras: { bias?: true; residual?: true; rowVector?: number } = {}): OpCase {
  const { images, h, w, ci, co, stride, padding, upsampleTo, rowOffset } = shape;
  return {
    inputs: {
      x: { shape: [images, h, w, ci], gradient: true },
      weight: { shape: [co, 9, ci], as: "conv3x3", scale: (9 * ci) ** -0.5 },
      ...(extras.bias && { bias: { shape: [co], as: "vector" } }),
      ...(extras.residual && { residual: { shape: [images, ...outSize(shape), co], gradient: true } }),
      ...(extras.rowVector && { rowVector: { shape: [images, extras.rowVector], gradient: true } }),
    },
    build: (g, { x, weight, bias, residual, rowVector }) => {
      if (!x || !weight) throw new Error("the case lacks x or weight");
      const options: ConvOptions = {
        weight,
        ...(bias && { bias }),
        ...(residual && { residual: activation(g, "residual", residual, "silu") }),
        ...(rowVector && { rowVector }),
        ...(stride && { stride }),
        ...(padding && { padding }),
        ...(upsampleTo && { upsampleTo }),
        ...(rowOffset && { rowOffset }),
      };
      return [conv3x3(g, "conv", x, options)];
    },
    reference: (values) => [reference(shape, values)],
  };
}

const shapes: Record<string, Shape> = {
  "stride 1, odd size, batch 3": { images: 3, h: 7, w: 9, ci: 8, co: 12 },
  "stride 1, four-channel ends": { images: 2, h: 5, w: 6, ci: 4, co: 4 },
  "stride 1, 1×1 image": { images: 1, h: 1, w: 1, ci: 4, co: 8 },
  "stride 2, odd size": { images: 3, h: 7, w: 9, ci: 8, co: 12, stride: 2 },
  "stride 2, even size": { images: 2, h: 6, w: 8, ci: 4, co: 8, stride: 2 },
  "stride 2, padded at the end, even": { images: 2, h: 8, w: 6, ci: 8, co: 4, stride: 2, padding: "end" },
  "stride 2, padded at the end, odd": { images: 3, h: 7, w: 9, ci: 4, co: 8, stride: 2, padding: "end" },
  "upsampled twice": { images: 2, h: 3, w: 5, ci: 8, co: 12, upsampleTo: [6, 10] },
  "upsampled to an odd size": { images: 3, h: 4, w: 5, ci: 4, co: 8, upsampleTo: [7, 9] },
  "upsampled unevenly": { images: 1, h: 3, w: 4, ci: 4, co: 4, upsampleTo: [8, 11] },
};

describe("conv3x3", () => {
  for (const [name, shape] of Object.entries(shapes)) {
    it(name, async () => {
      await checkOp(device, convCase(shape));
    });
  }

  it("adds bias, residual and a slice of the per-image vector", async () => {
    const shape: Shape = { images: 3, h: 7, w: 9, ci: 8, co: 12, rowOffset: 8 };
    await checkOp(device, convCase(shape, { bias: true, residual: true, rowVector: 24 }));
  });

  it("keeps every digit over a contraction of 23 040", async () => {
    await checkOp(device, convCase({ images: 1, h: 2, w: 2, ci: 2560, co: 8 }));
  });

  it.each<WeightType>(["f16", "q8", "q4"])("reads %s weights both ways", async (weightType) => {
    const shape: Shape = { images: 2, h: 5, w: 7, ci: 64, co: 32 };
    await checkOp(device, { ...convCase(shape, { bias: true }), weightType });
  });

  it("stores f16", async () => {
    for (const name of ["stride 1, odd size, batch 3", "stride 2, odd size", "upsampled to an odd size"]) {
      const shape = shapes[name];
      if (!shape) throw new Error(name);
      await checkOp(device, { ...convCase(shape, { bias: true, residual: true }), activationType: "f16" });
    }
  });

  it("adds to a gradient collected before", async () => {
    const shape: Shape = { images: 2, h: 5, w: 6, ci: 8, co: 8 };
    const once = convCase(shape);
    await checkOp(device, {
      ...once,
      build: (g, t) => [...once.build(g, t), ...once.build(g, t)],
      reference: (values) => [reference(shape, values), reference(shape, values)],
    });
  });

  it("refuses shapes that do not fit", () => {
    const g = new GraphBuilder({ activationType: "f32" });
    const weight = g.weight({ keys: ["w"], layout: "conv3x3", shape: [8, 9, 4] });
    expect(() => conv3x3(g, "conv", g.input("x", [1, 4, 4, 8]), { weight })).toThrow(
      "internal: conv3x3: input [1,4,4,8]",
    );
  });

  it("counts the multiply-adds of the output", () => {
    const g = new GraphBuilder({ activationType: "f32" });
    const weight = g.weight({ keys: ["w"], layout: "conv3x3", shape: [8, 9, 4] });
    conv3x3(g, "conv", g.input("x", [2, 6, 6, 4]), { weight, stride: 2 });
    const node = g.nodes[0];
    expect(node?.op.name).toBe(conv3x3Op.name);
    expect(node && node.op.cost(node)).toEqual({ kind: "conv", flops: 2 * 8 * 4 * 9 * 2 * 3 * 3 });
  });
});

/** The kernels that a policy picks when there are enough channels; small tiles' edges come from odd sizes. */
describe.each([
  ["without subgroups", PORTABLE_POLICY],
  ["in workgroup memory", GPU_POLICY],
])("conv3x3 %s", (_, policy) => {
  let other: EngineDevice;
  beforeAll(async () => {
    other = await testDeviceWith(policy);
  });

  const wide: Record<string, Shape> = {
    "stride 1, odd size, batch 3": { images: 3, h: 7, w: 9, ci: 20, co: 72 },
    "stride 2, odd size": { images: 3, h: 7, w: 9, ci: 36, co: 20, stride: 2 },
    "stride 2, padded at the end": { images: 1, h: 7, w: 8, ci: 16, co: 20, stride: 2, padding: "end" },
    "upsampled to an odd size": { images: 2, h: 4, w: 5, ci: 20, co: 24, upsampleTo: [7, 9] },
  };
  for (const [name, shape] of Object.entries(wide)) {
    it(name, async () => {
      await checkOp(other, convCase(shape));
    });
  }

  it("q8 weights, f16 storage, bias, residual and vector, added to a gradient collected before", async () => {
    const shape: Shape = { images: 2, h: 5, w: 7, ci: 64, co: 32 };
    const once = convCase(shape, { bias: true, residual: true, rowVector: 32 });
    await checkOp(other, {
      ...once,
      weightType: "q8",
      activationType: "f16",
      build: (g, t) => [...once.build(g, t), ...once.build(g, t)],
      reference: (values) => [reference(shape, values), reference(shape, values)],
    });
  });
});
