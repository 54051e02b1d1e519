import { expect, it } from "vitest";
import { seedSequence } from "../base/random/seedSequence";
import { brownianNoise } from "./brownianNoise";

const range = { source: "CPU", sigmaMin: 0.0291672, sigmaMax: 14.614641 } as const;

it.each([
  [0, [], [4025752534, 2687548107, 2326983537]],
  [0, [0, 0], [245430115, 3436620678, 4120055464, 1627243804]],
  [42, [5, 3], [3084123560, 468215949, 242942938, 2650128260]],
  [12345678901, [16777217, 24], [281965587, 1872143052, 1729497551, 741656511]],
])("gives NumPy's seed sequence for %s %j", (seed, key, words) => {
  expect([...seedSequence(seed, key, words.length)]).toEqual(words);
});

// Values of torchsde for 16 elements.
it.each([
  [
    0,
    [
      [0.071278, -1.196463, -0.105975],
      [0.735435, 2.698265, 0.76665],
      [-0.554704, 2.414857, -0.958997],
    ],
  ],
  [
    12345,
    [
      [-0.201346, -0.729611, -0.490779],
      [-1.373152, 1.069974, 0.199466],
      [1.228061, -1.790347, 0.983288],
    ],
  ],
])("equals torchsde's tree for seed %s", (seed, expected) => {
  const noise = brownianNoise({ ...range, seed, size: 16 });
  const levels = [14.614641, 9.10293, 5.47839, 3.1686];
  expected.forEach((values, step) => {
    const drawn = noise(levels[step] ?? 0, levels[step + 1] ?? 0);
    values.forEach((v, i) => expect(Math.abs((drawn[i] ?? NaN) - v)).toBeLessThan(2e-6));
  });
});

it("is one path: the increments of two steps add up to that of both", () => {
  const noise = brownianNoise({ ...range, seed: 7, size: 4 });
  const whole = noise(10, 1).map((v) => v * Math.sqrt(9));
  const [upper, lower] = [noise(10, 3.3), noise(3.3, 1)];
  whole.forEach((v, i) => {
    const sum = (upper[i] ?? 0) * Math.sqrt(6.7) + (lower[i] ?? 0) * Math.sqrt(2.3);
    expect(sum).toBeCloseTo(v, 4);
  });
});

it("has unit variance", () => {
  const drawn = brownianNoise({ ...range, source: "NV", seed: 3, size: 20_000 })(5, 0.5);
  const variance = drawn.reduce((sum, v) => sum + v * v, 0) / drawn.length;
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});
