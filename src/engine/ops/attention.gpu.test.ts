import { beforeAll, describe, expect, it } from "vitest";
import type { EngineDevice } from "../device";
import { checkOp, measureOp, type CaseInput, type OpCase } from "../testing/opHarness";
import { testDevice } from "../testing/testDevice";
import { attention } from "./attention";
import { referenceCrossAttention, referenceSelfAttention } from "./attention/reference";

interface Shape {
  readonly images?: number;
  readonly heads: number;
  readonly d: number;
  readonly tq: number;
  /** Present: cross-attention. */
  readonly tk?: number;
  readonly causal?: boolean;
}

function selfCase({ images = 1, heads, d, tq, causal = false }: Shape, input: Partial<CaseInput> = {}): OpCase {
  const width = heads * d;
  return {
    inputs: { qkv: { shape: [images, tq, 3 * width], gradient: true, ...input } },
    build: (graph, { qkv }) => (qkv ? [attention(graph, "attention", { qkv }, { heads, causal })] : []),
    reference: ({ qkv }) => [referenceSelfAttention(qkv ?? [], { images, heads, tq, tk: tq, width, causal })],
  };
}

function crossCase({ images = 1, heads, d, tq, tk = tq }: Shape, wanted: { q?: boolean; kv?: boolean } = { q: true, kv: true }): OpCase {
  const width = heads * d;
  return {
    inputs: {
      q: { shape: [images, tq, width], ...(wanted.q && { gradient: true }) },
      kv: { shape: [images, tk, 2 * width], ...(wanted.kv && { gradient: true }) },
    },
    build: (graph, { q, kv }) => (q && kv ? [attention(graph, "attention", { q, kv }, { heads })] : []),
    reference: ({ q, kv }) => [referenceCrossAttention(q ?? [], kv ?? [], { images, heads, tq, tk, width })],
  };
}

describe("attention", () => {
  let device: EngineDevice;
  beforeAll(async () => {
    device = await testDevice();
  });

  const selfShapes: Shape[] = [
    { images: 2, heads: 2, d: 4, tq: 9 },
    { images: 2, heads: 8, d: 8, tq: 63 },
    { heads: 8, d: 16, tq: 64 },
    { heads: 2, d: 32, tq: 77, causal: true },
    { heads: 2, d: 40, tq: 70 },
    { heads: 2, d: 64, tq: 77, causal: true },
    { heads: 2, d: 80, tq: 35 },
    { heads: 1, d: 160, tq: 17 },
    { heads: 1, d: 512, tq: 9 },
  ];
  for (const shape of selfShapes) {
    const name = `${shape.heads} heads of ${shape.d}, ${shape.tq} tokens${shape.causal ? ", causal" : ""}`;
    it(`self: ${name}`, async () => {
      await checkOp(device, selfCase(shape));
    });
    it(`self, f16 storage: ${name}`, async () => {
      await checkOp(device, { ...selfCase(shape), activationType: "f16" });
    });
  }

  const crossShapes: Shape[] = [
    { images: 2, heads: 2, d: 8, tq: 33, tk: 77 },
    { heads: 8, d: 40, tq: 64, tk: 77 },
    { heads: 2, d: 160, tq: 9, tk: 13 },
  ];
  for (const shape of crossShapes) {
    it(`cross: ${shape.heads} heads of ${shape.d}, ${shape.tq} queries, ${shape.tk} keys`, async () => {
      await checkOp(device, crossCase(shape));
      await checkOp(device, { ...crossCase(shape), activationType: "f16" });
    });
  }

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
          ? [attention(graph, "first", { qkv }, { heads: 2 }), attention(graph, "second", { qkv }, { heads: 2, causal: true })]
          : [],
      reference: ({ qkv }) => {
        const shape = { images: 1, heads: 2, tq: 21, tk: 21, width: 16 };
        return [referenceSelfAttention(qkv ?? [], shape), referenceSelfAttention(qkv ?? [], { ...shape, causal: true })];
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

  it("works through more scores than it holds at once", async () => {
    // 2 heads × 1500² scores are more than one block of whole heads.
    const shape = { heads: 2, d: 4, tq: 1500 };
    const report = await measureOp(device, { ...selfCase(shape, {}), inputs: { qkv: { shape: [1, 1500, 24] } } });
    expect(report.outputErrors[0]).toBeLessThan(1e-5);
    expect(report.repeatable).toBe(true);
  });
});
