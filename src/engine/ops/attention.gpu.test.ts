import { beforeAll, describe, expect, it } from "vitest";
import type { EngineDevice } from "../device";
import { GPU_POLICY, PORTABLE_POLICY } from "../policy";
import { checkOp, measureOp, type OpCase } from "../testing/opHarness";
import { testDevice, testDeviceWith } from "../testing/testDevice";
import { attention } from "./attention";
import { referenceSelfAttention } from "./attention/reference";
import { crossCase, selfCase, type Shape } from "../testing/attentionCases";

const shapeName = ({ heads, d, tq, tk, causal }: Shape) =>
  `${heads} heads of ${d}, ${tk === undefined ? `${tq} tokens` : `${tq} queries, ${tk} keys`}${causal ? ", causal" : ""}`;

/** Checks values and gradients with both storage types. */
async function checkShape(device: EngineDevice, shape: Shape): Promise<void> {
  const testCase = shape.tk === undefined ? selfCase(shape) : crossCase(shape);
  await checkOp(device, testCase);
  await checkOp(device, { ...testCase, activationType: "f16" });
}

const portableShapes: Shape[] = [
  { images: 2, heads: 2, d: 4, tq: 9 },
  { images: 2, heads: 8, d: 8, tq: 63 },
  { heads: 2, d: 16, tq: 77, causal: true },
  { images: 2, heads: 2, d: 8, tq: 33, tk: 77 },
  { heads: 2, d: 32, tq: 77, causal: true },
  { heads: 2, d: 40, tq: 70 },
  { heads: 1, d: 160, tq: 17 },
  { heads: 1, d: 512, tq: 9 },
  { heads: 8, d: 40, tq: 64, tk: 77 },
  { heads: 2, d: 160, tq: 9, tk: 13 },
];

describe("attention without workgroup memory or subgroups", () => {
  let device: EngineDevice;
  beforeAll(async () => {
    device = await testDeviceWith(PORTABLE_POLICY);
  });

  for (const shape of portableShapes) {
    it(shapeName(shape), async () => {
      await checkShape(device, shape);
    });
  }

  it("works through more scores than it holds at once", async () => {
    // 1500² scores of one head are more than a block, so the queries are split and dK, dV are carried along.
    await checkOp(device, selfCase({ heads: 2, d: 4, tq: 1500 }));
  });
});

describe("attention with subgroup broadcasts", () => {
  // Three kernels per head dimension and storage type take seconds to compile: the rest is in attention.slow.test.ts.
  const cases: OpCase[] = [
    { ...selfCase({ images: 2, heads: 8, d: 8, tq: 63 }), activationType: "f16" },
    crossCase({ images: 2, heads: 2, d: 8, tq: 33, tk: 77 }),
  ];

  it("agrees with the reference", async (context) => {
    const device = await testDevice();
    if (device.policy.broadcastLanes === 0) context.skip("this adapter has no fixed subgroup size");
    for (const testCase of cases) await checkOp(device, testCase);
  });
});

describe("attention with workgroup memory", () => {
  // Every case compiles three large kernels: other head dimensions are in attention.slow.test.ts.
  it("adds partial products through memory", async () => {
    const device = await testDeviceWith(GPU_POLICY);
    await checkOp(device, selfCase({ images: 2, heads: 2, d: 40, tq: 63 }));
  });

  it("adds partial products by shuffles", async (context) => {
    const { gpu } = await testDevice();
    if (!gpu.features.has("subgroups")) context.skip("this adapter has no subgroups");
    const device = await testDeviceWith({ ...GPU_POLICY, subgroups: true });
    const testCase = selfCase({ images: 2, heads: 2, d: 40, tq: 63 });
    await checkOp(device, { ...testCase, activationType: "f16" });
  });
});

describe("attention as chosen for this adapter", () => {
  let device: EngineDevice;
  beforeAll(async () => {
    device = await testDevice();
  });

  it("gives the gradient of only the part that is wanted", async () => {
    const shape = { heads: 2, d: 8, tq: 33, tk: 77 };
    await checkOp(device, crossCase(shape, { q: true }));
    await checkOp(device, crossCase(shape, { kv: true }));
  });

  it("adds to a gradient that arrived first", async () => {
    const one = selfCase({ heads: 2, d: 8, tq: 21 });
    await checkOp(device, {
      ...one,
      build: (graph, { qkv }) =>
        qkv
          ? [
              attention(graph, "first", { qkv }, { heads: 2 }),
              attention(graph, "second", { qkv }, { heads: 2, causal: true }),
            ]
          : [],
      reference: ({ qkv }) => {
        const shape = { images: 1, heads: 2, tq: 21, tk: 21, width: 16 };
        return [
          referenceSelfAttention(qkv ?? [], shape),
          referenceSelfAttention(qkv ?? [], { ...shape, causal: true }),
        ];
      },
    });
  });

  it("survives one huge logit", async () => {
    // Token 5 has a query and key hundreds of times the others': its logit is about 1e5.
    const width = 16;
    const values = (index: number) => {
      const token = Math.floor(index / (3 * width));
      const isQueryOrKey = index % (3 * width) < 2 * width;
      return Math.sin(1.7 * index) * (token === 5 && isQueryOrKey ? 300 : 1);
    };
    const report = await measureOp(device, selfCase({ heads: 2, d: 8, tq: 19 }, { values }));
    expect(report.outputErrors[0]).toBeLessThan(2e-5);
    expect(report.gradients["qkv"]?.every(Number.isFinite)).toBe(true);
  });

  it("gives the mean of the values when all keys are equal", async () => {
    const values = (index: number) => (index % 48 < 32 ? 0.5 : Math.cos(index));
    await checkOp(device, selfCase({ heads: 2, d: 8, tq: 63 }, { values }));
  });
});
