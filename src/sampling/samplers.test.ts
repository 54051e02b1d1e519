import { describe, expect, it } from "vitest";
import { createSigmaTable } from "../diffusion/sigmaTable";
import { samplers } from "./index";
import { linearSolve } from "./linearSolve";
import { samplerMeta } from "./meta";
import type { SamplerName } from "./meta";
import { samplerSigmas } from "./samplerSigmas";
import { endingInZero } from "./sigmas/linspace";
import { karrasSigmas } from "./sigmas/karras";
import { ddimSigmas, unipcSigmas } from "./sigmas/unitVariance";
import type { DenoiseModel } from "./types";

/** Trajectories of the reference implementations for D(x, σ) = tanh(x / √(σ²+1)) from these three numbers. */
const start = [10, -3, 0.5];
const sigmas = endingInZero(karrasSigmas(10, 0.0291672, 14.6146412));
const table = createSigmaTable();

const golden: [name: SamplerName, noise: number, result: number[], calls: number][] = [
  ["euler", 0, [0.584258, -0.308043, 0.057833], 10],
  ["heun", 0, [0.536247, -0.320859, 0.065245], 19],
  ["dpm2", 0, [0.550596, -0.32203, 0.064438], 19],
  ["lms", 0, [0.55825, -0.316586, 0.061581], 10],
  ["dpmpp_2m", 0, [0.566989, -0.329718, 0.064989], 10],
  ["euler_a", 0, [0.181956, -0.05957, 0.010024], 10],
  ["euler_a", 0.5, [0.608566, 0.602455, 0.604463], 10],
  ["dpm2_a", 0.5, [0.471872, 0.469479, 0.470253], 19],
  ["dpmpp_2s_a", 0.5, [0.551661, 0.547309, 0.548729], 19],
  ["dpmpp_sde", 0, [0.155543, -0.050387, 0.008467], 19],
  ["dpmpp_sde", 0.5, [0.573045, 0.570916, 0.571561], 19],
  ["dpmpp_2m_sde", 0, [0.124389, -0.039012, 0.006531], 10],
  ["dpmpp_2m_sde", 0.5, [0.56498, 0.565439, 0.565261], 10],
  ["dpmpp_2m_sde_heun", 0.5, [0.5475, 0.549234, 0.548691], 10],
  ["dpmpp_3m_sde", 0, [0.176762, -0.059423, 0.010031], 10],
  ["dpmpp_3m_sde", 0.5, [0.520108, 0.513867, 0.515733], 10],
  ["ddim", 0, [0.721676, -0.319242, 0.05681], 9],
  ["unipc", 0, [0.728173, -0.345364, 0.062929], 10],
];

function countingModel(): { model: DenoiseModel; calls: () => number } {
  let calls = 0;
  const model: DenoiseModel = async (x, sigma) => {
    calls++;
    return x.map((v) => Math.tanh(v / Math.sqrt(sigma ** 2 + 1)));
  };
  return { model, calls: () => calls };
}

/** The unit-variance samplers bring their own list and start from unit noise. */
function setting(name: SamplerName): { from: Float32Array; levels: Float32Array } {
  if (samplerMeta[name].start === "sigma") return { from: Float32Array.from(start), levels: sigmas };
  const levels = name === "unipc" ? unipcSigmas(10, table) : ddimSigmas(10, table);
  return { from: Float32Array.from(start, (v) => v / 14.6146412), levels };
}

describe.each(golden)("%s with constant noise %s", (name, noise, result, calls) => {
  it("ends where the reference ends, in as many model calls", async () => {
    const { from, levels } = setting(name);
    const counting = countingModel();
    const options = { noise: () => new Float32Array(3).fill(noise) };
    const final = await samplers[name](counting.model, from, levels, options);
    result.forEach((value, i) => expect(Math.abs((final[i] ?? NaN) - value)).toBeLessThan(5e-6));
    expect(counting.calls()).toBe(calls);
  });
});

describe.each(Object.keys(samplers) as SamplerName[])("%s", (name) => {
  const levels = samplerSigmas(name, "automatic", 12, table);
  const options = { noise: () => Float32Array.of(0.3, -0.8, 1.1) };
  const scale = samplerMeta[name].start === "sigma" ? (levels[0] ?? 0) : 1;

  it("finds the image of a model that knows it, from any noise", async () => {
    const image = Float32Array.of(0.7, -0.2, 0.1);
    const last = levels.at(-1) ?? 0;
    const final = await samplers[name](async () => image, Float32Array.of(scale, -scale, 0), levels, options);
    // lists that do not end in 0 leave the noise of their last level
    image.forEach((v, i) => expect(Math.abs((final[i] ?? NaN) - v)).toBeLessThan(1e-5 + 2 * last));
  });

  it("leaves its inputs alone and tells every step", async () => {
    const from = Float32Array.of(scale, -scale, 0);
    const before = [...from];
    const told: number[] = [];
    await samplers[name](countingModel().model, from, levels, options, ({ step, sigma }) => {
      expect(sigma).toBe(levels[step]);
      told.push(step);
    });
    expect([...from]).toEqual(before);
    expect(told).toEqual([...Array(levels.length - 1).keys()]);
  });

  it("stops when the callback throws", async () => {
    const stop = () => {
      throw new Error("stopped");
    };
    const run = samplers[name](countingModel().model, new Float32Array(3), levels, options, stop);
    await expect(run).rejects.toThrow("stopped");
  });
});

it("asks for noise at the levels of the step", async () => {
  const asked: [number, number][] = [];
  const noise = (from: number, to: number) => {
    asked.push([from, to]);
    return new Float32Array(3);
  };
  await samplers.euler_a(countingModel().model, Float32Array.from(start), sigmas, { noise });
  expect(asked).toEqual(Array.from(sigmas.slice(0, -2), (s, i) => [s, sigmas[i + 1]]));
});

it("adds no noise at eta 0: euler a becomes euler", async () => {
  const run = (name: SamplerName) =>
    samplers[name](countingModel().model, Float32Array.from(start), sigmas, {
      noise: () => new Float32Array(3).fill(9),
      eta: 0,
    });
  expect(await run("euler_a")).toEqual(await run("euler"));
});

it("solves small linear systems, pivoting where it must", () => {
  const solution = linearSolve(
    [
      [0, 2, 1],
      [1, 1, 1],
      [2, 0, -1],
    ],
    [7, 6, -1],
  );
  [1, 2, 3].forEach((v, i) => expect(solution[i]).toBeCloseTo(v, 12));
});
