import { describe, expect, it } from "vitest";
import {
  counterNormal,
  counterPermutation,
  counterUniform,
  counterUniformInt,
  randomStream,
} from "./counter";
import { Mt19937 } from "./mt19937";
import { createNoiseSource } from "./noiseSource";
import { philox4x32 } from "./philox";
import { slerpNoise } from "./slerp";
import { TorchGenerator } from "./torchGenerator";

const ones = 0xffffffff;

function expectClose(actual: ArrayLike<number>, expected: number[], tolerance = 2e-6): void {
  expected.forEach((value, i) =>
    expect(Math.abs((actual[i] ?? NaN) - value), `element ${i}`).toBeLessThan(tolerance),
  );
}

describe("philox4x32", () => {
  // Known answers published with Random123.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [ones, ones, ones, ones],
      [ones, ones],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)("counter %s", ([c0, c1, c2, c3], [k0, k1], expected) => {
    const words = new Uint32Array(4);
    philox4x32(words, c0, c1, c2, c3, k0, k1);
    expect([...words]).toEqual(expected);
  });
});

describe("NV noise", () => {
  it("equals CUDA's for seed 0, first and second call", () => {
    const source = createNoiseSource("NV", 0);
    expectClose(source.randn(5), [-0.9246624, -0.425344, -2.6438458, 0.1451839, -0.1208665]);
    expectClose(source.randn(3), [0.1808259, -0.5522627, 0.9238134]);
  });

  it("uses the high word of seeds above 2^32", () => {
    expectClose(createNoiseSource("NV", 12345678901).randn(3), [0.6466076, -0.4969035, 1.6190792]);
  });
});

describe("torch CPU generator", () => {
  it("tempers as MT19937 does", () => {
    const engine = new Mt19937(5489);
    expect([engine.next32(), engine.next32(), engine.next32()]).toEqual([3499211612, 581869302, 3890346734]);
  });

  it("draws fewer than 16 normals in double precision and keeps the spare one", () => {
    const generator = new TorchGenerator(0);
    expectClose(generator.randn(1), [1.5409961]);
    expectClose(generator.randn(3), [-0.2934289, -2.1787894, 0.5684313]);
  });

  it("redraws the last block when the size is not a multiple of 16", () => {
    expectClose(new TorchGenerator(1234).randn(20), [-0.1117186, -0.4965901, 0.1630737, -0.8816878]);
  });

  it("keeps the low word of long seeds", () => {
    expectClose(new TorchGenerator(123456789012).randn(16), [-0.3533599, -0.2634964, -1.3733619, -3.3606706]);
  });

  it("draws integers and permutations", () => {
    expect([...new TorchGenerator(0).randint(1000, 4)]).toEqual([44, 239, 933, 760]);
    expect([...new TorchGenerator(0).randperm(8)]).toEqual([4, 0, 7, 3, 2, 5, 1, 6]);
  });
});

describe("slerpNoise", () => {
  const shape = [1, 4, 3] as const;
  const low = new TorchGenerator(1).randn(12);
  const high = new TorchGenerator(2).randn(12);

  it("gives the ends at strength 0 and 1", () => {
    expectClose(slerpNoise(0, low, high, shape), [...low], 1e-6);
    expectClose(slerpNoise(1, low, high, shape), [...high], 1e-6);
  });

  it("blends parallel noises linearly, ends swapped as in the original", () => {
    const twice = low.map((v) => 2 * v);
    expectClose(
      slerpNoise(0.25, low, twice, shape),
      Array.from(low, (v) => 0.25 * v + 0.75 * 2 * v),
      1e-6,
    );
  });
});

describe("counter-based numbers", () => {
  const normals = (n: number, step = 3, stream: number = randomStream.noise) => {
    const out = new Float32Array(n);
    counterNormal(42, step, stream, out);
    return out;
  };

  it("are a function of seed, step and stream only", () => {
    expect(normals(7)).toEqual(normals(7));
    expect(normals(7)).toEqual(normals(64).slice(0, 7));
    expect(normals(7, 4)).not.toEqual(normals(7));
    expect(normals(7, 3, randomStream.posterior)).not.toEqual(normals(7));
  });

  it("keep their values: saved runs depend on them", () => {
    const out = new Float32Array(4);
    counterNormal(42, 3, randomStream.noise, out);
    expectClose(out, [...out], 1); // finite
    expect([...out].map((v) => v.toFixed(6))).toMatchInlineSnapshot(`
      [
        "-0.427327",
        "-2.497956",
        "-0.593486",
        "-0.973415",
      ]
    `);
    expect(counterUniformInt(42, 3, randomStream.timestep, 0, 1000)).toMatchInlineSnapshot(`564`);
  });

  it("are normal: mean, variance, kurtosis and neighbours", () => {
    const n = 200_000;
    const x = normals(n);
    const moment = (f: (v: number, i: number) => number) => x.reduce((sum, v, i) => sum + f(v, i), 0) / n;
    expect(Math.abs(moment((v) => v))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(moment((v) => v * v) - 1)).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(n));
    expect(Math.abs(moment((v) => v ** 4) - 3)).toBeLessThan((5 * Math.sqrt(96)) / Math.sqrt(n));
    expect(Math.abs(moment((v, i) => v * (x[i + 1] ?? 0)))).toBeLessThan(5 / Math.sqrt(n));
  });

  it("are uniform over the integers", () => {
    const counts = new Uint32Array(10);
    for (let i = 0; i < 10_000; i++) {
      const value = counterUniformInt(1, 0, randomStream.timestep, i, 10);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(27.9); // 99.9 % quantile, 9 degrees of freedom
  });

  it("never give 0 or 1", () => {
    for (let i = 0; i < 1000; i++) {
      const u = counterUniform(i, 0, 0, i);
      expect(u > 0 && u < 1).toBe(true);
    }
  });

  it("give permutations that differ from step to step", () => {
    const order = counterPermutation(7, 1, randomStream.shuffle, 50);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
    expect(counterPermutation(7, 2, randomStream.shuffle, 50)).not.toEqual(order);
  });
});
