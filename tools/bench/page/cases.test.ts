import { describe, expect, it } from "vitest";
import { referenceCrossAttention } from "../../../src/engine/ops/attention/reference";
import type { BenchCase } from "../types";
import { CASES, caseFlops, drawData, sampledError } from "./cases";
import { columnsOf, kernelsFirst, transposed } from "./contender";

/** 3×3 convolution by its definition, one output at a time. */
function convolve(
  x: Float32Array,
  w: Float32Array,
  size: number,
  inputs: number,
  outputs: number,
): Float32Array {
  const y = new Float32Array(size * size * outputs);
  const at = (row: number, column: number, i: number) =>
    row < 0 || column < 0 || row >= size || column >= size ? 0 : (x[(row * size + column) * inputs + i] ?? 0);
  y.forEach((_, index) => {
    const o = index % outputs;
    const pixel = Math.floor(index / outputs);
    for (let tap = 0; tap < 9; tap++) {
      for (let i = 0; i < inputs; i++) {
        const row = Math.floor(pixel / size) + Math.floor(tap / 3) - 1;
        const column = (pixel % size) + (tap % 3) - 1;
        y[index] = (y[index] ?? 0) + at(row, column, i) * (w[(o * 9 + tap) * inputs + i] ?? 0);
      }
    }
  });
  return y;
}

describe("bench cases", () => {
  it("accept a right convolution and refuse one with a wrong tap", () => {
    const c: BenchCase = { kind: "conv", size: 5, inputs: 8, outputs: 4 };
    const data = drawData(c);
    expect(sampledError(c, data, convolve(data.x, data.w, 5, 8, 4))).toBeLessThan(1e-6);
    const flipped = data.w.toReversed();
    expect(sampledError(c, data, convolve(data.x, flipped, 5, 8, 4))).toBeGreaterThan(0.1);
  });

  it("accept right attention and refuse attention without its scale", () => {
    const c: BenchCase = { kind: "attention", heads: 2, headDim: 8, queries: 9, keys: 7 };
    const data = drawData(c);
    const shape = { images: 1, heads: 2, tq: 9, tk: 7, width: 16 };
    const right = Float32Array.from(referenceCrossAttention(data.x, data.w, shape));
    expect(sampledError(c, data, right)).toBeLessThan(1e-6);
    const wrong = Float32Array.from(referenceCrossAttention(data.x, data.w, { ...shape, scale: 1 }));
    expect(sampledError(c, data, wrong)).toBeGreaterThan(0.01);
  });

  it("refuses a matmul with one wrong column", () => {
    const c: BenchCase = { kind: "matmul", rows: 4, inputs: 3, outputs: 2 };
    const data = {
      x: Float32Array.from({ length: 12 }, (_, i) => i),
      w: Float32Array.from([1, 2, 3, 4, 5, 6]),
    };
    const y = Float32Array.from({ length: 8 }, (_, i) => {
      const [row, output] = [i >> 1, i & 1];
      return [0, 1, 2].reduce(
        (sum, k) => sum + (data.x[3 * row + k] ?? 0) * (data.w[3 * output + k] ?? 0),
        0,
      );
    });
    expect(sampledError(c, data, y)).toBeLessThan(1e-7);
    expect(
      sampledError(
        c,
        data,
        y.map((value, i) => (i & 1 ? 0 : value)),
      ),
    ).toBeGreaterThan(0.1);
  });

  it("counts work as performance.md E1 does", () => {
    // "61.2 self-attention, 53.7 in the five 64² blocks", in GMAC.
    const largest = CASES.full.find((c) => c.kind === "attention");
    expect(largest && (5 * caseFlops(largest)) / 2 / 1e9).toBeCloseTo(53.7, 1);
  });

  it("re-arranges for peers", () => {
    expect([...transposed(Float32Array.from([1, 2, 3, 4, 5, 6]), 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...columnsOf(Float32Array.from([1, 2, 3, 4]), 2, 2, 1)]).toEqual([2, 4]);
    const w = Float32Array.from({ length: 18 }, (_, i) => i);
    expect([...kernelsFirst(w, 1, 2)].slice(0, 4)).toEqual([0, 2, 4, 6]);
  });
});
