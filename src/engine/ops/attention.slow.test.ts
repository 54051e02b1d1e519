/** Attention at head dimensions and storage types whose kernels take minutes to compile on a software adapter. */
import { describe, it } from "vitest";
import { GPU_POLICY } from "../policy";
import { checkOp, type OpCase } from "../testing/opHarness";
import { testDevice, testDeviceWith } from "../testing/testDevice";
import { crossCase, selfCase } from "../testing/attentionCases";

describe("attention with subgroup broadcasts", () => {
  const cases: Record<string, OpCase> = {
    "fewer keys than lanes": selfCase({ images: 2, heads: 2, d: 4, tq: 9 }),
    causal: selfCase({ heads: 2, d: 16, tq: 77, causal: true }),
    "cross-attention in f16": { ...crossCase({ heads: 2, d: 8, tq: 33, tk: 77 }), activationType: "f16" },
  };
  for (const [title, testCase] of Object.entries(cases)) {
    it(title, async (context) => {
      const device = await testDevice();
      if (device.policy.broadcastLanes === 0) context.skip("this adapter has no fixed subgroup size");
      await checkOp(device, testCase);
    });
  }
});

describe("attention with workgroup memory", () => {
  const exchanging: Record<string, OpCase> = {
    "heads of 64, causal": selfCase({ heads: 2, d: 64, tq: 77, causal: true }),
    "heads of 160": selfCase({ heads: 1, d: 160, tq: 65 }),
    "cross-attention in f16": {
      ...crossCase({ images: 2, heads: 2, d: 40, tq: 130, tk: 77 }),
      activationType: "f16",
    },
  };
  for (const [title, testCase] of Object.entries(exchanging)) {
    it(`through memory: ${title}`, async () => {
      await checkOp(await testDeviceWith(GPU_POLICY), testCase);
    });
  }

  it("by shuffles: heads of 80", async (context) => {
    const { gpu } = await testDevice();
    if (!gpu.features.has("subgroups")) context.skip("this adapter has no subgroups");
    const device = await testDeviceWith({ ...GPU_POLICY, subgroups: true });
    await checkOp(device, selfCase({ heads: 2, d: 80, tq: 35 }));
  });
});
