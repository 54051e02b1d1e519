import { describe, expect, it } from "vitest";
import { createSigmaTable } from "../../diffusion/sigmaTable";
import { resolveSchedule, samplerSigmas } from "../samplerSigmas";
import { betaQuantile } from "./betaQuantile";
import { polyexponentialWith } from "./exponential";
import { sigmaSchedules } from "./index";
import { createLcmTable, lcmTimestep } from "./lcmTable";
import type { SigmaScheduleName } from "./meta";
import { ddimSigmas } from "./unitVariance";

const table = createSigmaTable();

/** The web UI's lists for 10 steps. */
const golden: [SigmaScheduleName, number[]][] = [
  ["karras", [14.61464, 9.10293, 5.47839, 3.1686, 1.74942, 0.91407, 0.44692, 0.2014, 0.08191, 0.02917, 0]],
  [
    "exponential",
    [14.61464, 7.32487, 3.67123, 1.84002, 0.92222, 0.46222, 0.23166, 0.11611, 0.05819, 0.02917, 0],
  ],
  ["uniform", [14.61464, 7.83988, 4.60917, 2.91831, 1.95016, 1.34493, 0.93236, 0.62498, 0.36866, 0.02917, 0]],
  [
    "sgm_uniform",
    [14.61464, 8.30717, 5.09241, 3.32507, 2.27973, 1.61558, 1.16286, 0.83188, 0.57119, 0.3437, 0],
  ],
  ["simple", [14.61464, 8.3028, 5.08776, 3.32108, 2.27646, 1.61289, 1.16058, 0.82986, 0.56928, 0.34167, 0]],
  [
    "ddim_uniform",
    [8.39068, 5.13443, 3.34776, 2.29285, 1.62369, 1.16822, 0.83565, 0.57405, 0.34619, 0.04131, 0],
  ],
  ["beta", [14.61464, 13.92778, 12.49098, 10.59761, 8.44244, 6.20137, 4.0462, 2.15283, 0.71602, 0.02917, 0]],
  [
    "kl_optimal",
    [14.61464, 4.56504, 2.63289, 1.78645, 1.29477, 0.96159, 0.71163, 0.50942, 0.33564, 0.17835, 0.02917],
  ],
  [
    "align_your_steps",
    [14.615, 6.11351, 3.56511, 2.39387, 1.64996, 1.13579, 0.74252, 0.44501, 0.16921, 0.029, 0],
  ],
];

it.each(golden)("%s gives the web UI's list", (name, expected) => {
  const list = sigmaSchedules[name](10, table);
  expect(list.length).toBe(expected.length);
  expected.forEach((v, i) => expect(Math.abs((list[i] ?? NaN) - v)).toBeLessThan(2e-5));
});

describe.each(Object.keys(sigmaSchedules) as SigmaScheduleName[])("%s", (name) => {
  it.each([1, 2, 7, 20, 150])("descends for %s steps", (steps) => {
    const list = sigmaSchedules[name](steps, table);
    expect(list.length).toBeGreaterThan(1);
    expect(list.every((s, i) => Number.isFinite(s) && (i === 0 || s < (list[i - 1] ?? 0)))).toBe(true);
  });
});

it("has the quantiles of beta distributions", () => {
  expect(betaQuantile(0.5, 0.6, 0.6)).toBeCloseTo(0.5, 12);
  expect(betaQuantile(0.1, 0.6, 0.6) + betaQuantile(0.9, 0.6, 0.6)).toBeCloseTo(1, 12);
  expect(betaQuantile(0.3, 1, 1)).toBeCloseTo(0.3, 12); // uniform
  expect(betaQuantile(0.49, 2, 1)).toBeCloseTo(0.7, 12); // CDF x²
});

it("bends the exponential with a power", () => {
  const bent = polyexponentialWith(2)(10, table);
  const straight = sigmaSchedules.exponential(10, table);
  expect(bent[0]).toBeCloseTo(straight[0] ?? 0, 5);
  expect(bent[5]).toBeLessThan(straight[5] ?? 0);
});

it("lists DDIM's timesteps as the web UI does", () => {
  const timesteps = [...ddimSigmas(20, table)].map((s) => Math.round(table.sigmaToT(s)));
  expect(timesteps).toEqual(Array.from({ length: 20 }, (_, i) => 951 - 50 * i));
  expect(ddimSigmas(30, table).length).toBe(31);
});

it("finds the LCM timestep of a noise level", () => {
  const lcm = createLcmTable();
  expect(lcm.sigmas.length).toBe(50);
  expect([14.6146, 7, 1, 0.12].map((s) => lcmTimestep(lcm, s))).toEqual([999, 859, 359, 19]);
});

describe("samplerSigmas", () => {
  it("takes the sampler's own schedule for Automatic", () => {
    expect(samplerSigmas("dpmpp_2m", "automatic", 10, table)).toEqual(sigmaSchedules.karras(10, table));
    expect(resolveSchedule("euler_a", "automatic")).toBe("uniform");
    expect(resolveSchedule("ddim", "karras")).toBeUndefined();
  });

  it("drops the last but one where the sampler asks for it", () => {
    const list = samplerSigmas("dpm2", "automatic", 10, table);
    const longer = sigmaSchedules.karras(11, table);
    expect([...list]).toEqual([...longer.slice(0, 10), 0]);
  });
});
