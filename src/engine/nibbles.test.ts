import { describe, expect, it } from "vitest";
import { counterNormal } from "../base/random/counter";
import { bestGrid, nibbleOf, type NibbleGrid } from "./nibbles";

function error(values: Float32Array, grid: Pick<NibbleGrid, "scale" | "minimum">): number {
  return values.reduce((sum, value) => {
    const u = Math.max(0, Math.min(15, Math.round((value - grid.minimum) / grid.scale)));
    return sum + (u * grid.scale + grid.minimum - value) ** 2;
  }, 0);
}

function normal(seed: number): Float32Array {
  const values = new Float32Array(32);
  counterNormal(seed, 0, 0, values);
  return values;
}

describe("the grid of a q4 block", () => {
  it("leaves an eighth less squared error than one from least to largest, over normal values", () => {
    let [ours, plain] = [0, 0];
    for (let seed = 1; seed <= 200; seed++) {
      const values = normal(seed);
      const [least, largest] = [Math.min(...values), Math.max(...values)];
      ours += error(values, bestGrid(values));
      plain += error(values, { scale: (largest - least) / 15, minimum: least });
    }
    expect(ours / plain).toBeLessThan(0.89);
  });

  it("is exact where sixteen evenly spaced values suffice", () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => (i % 16) * 0.25 - 1.5);
    expect(error(values, bestGrid(values))).toBe(0);
  });

  it("keeps constant blocks", () => {
    const grid = bestGrid(new Float32Array(32).fill(0.5));
    expect(nibbleOf(0.5, grid) * grid.scale + grid.minimum).toBe(0.5);
  });

  it("stays finite next to the largest half", () => {
    const values = normal(3).map((value) => 30000 * value);
    const grid = bestGrid(values);
    expect(Number.isFinite(grid.scale) && Number.isFinite(grid.minimum)).toBe(true);
  });
});
