import { describe, expect, it } from "vitest";
import { huberThreshold, minSnrWeight } from "./lossWeights";
import { alphasCumprod, betas, exactAlphasCumprod, snr } from "./noiseSchedule";
import { addNoise, denoised, epsilonPrediction, lossTarget, predictions } from "./prediction";
import { createSigmaTable } from "./sigmaTable";
import { timestepEmbedding } from "./timestepEmbedding";
import { zeroTerminalSnrBetas } from "./zeroTerminalSnr";
import { cumulativeAlphas } from "./noiseSchedule";

describe("noise schedule", () => {
  it("equals the trainer's float32 values to the last digit", () => {
    const [beta, alpha] = [betas(), alphasCumprod()];
    const digits = (v: number | undefined) => v?.toPrecision(9);
    expect([beta[0], beta[500], beta[999]].map(digits)).toEqual([
      "0.000849999953",
      "0.00481495447",
      "0.0119999992",
    ]);
    expect([alpha[0], alpha[500], alpha[999]].map(digits)).toEqual([
      "0.999149978",
      "0.276332498",
      "0.00466009602",
    ]);
  });

  it("has the checkpoint's values in double precision", () => {
    expect(exactAlphasCumprod()[500]).toBeCloseTo(0.276332683822975, 14);
  });

  it("crosses SNR 5 at t = 147 and 1 at t = 354", () => {
    const ratio = snr(alphasCumprod());
    expect(ratio.findIndex((r) => r < 5)).toBe(147);
    expect(ratio.findIndex((r) => r < 1)).toBe(354);
  });

  it("ends in pure noise after zero-terminal-SNR rescaling", () => {
    const alpha = cumulativeAlphas(zeroTerminalSnrBetas(betas()));
    expect(alpha[0]).toBeCloseTo(0.99915, 5);
    expect(alpha[500]).toBeCloseTo(0.2410186, 5);
    expect(alpha[999]).toBe(0);
  });
});

describe("sigma table", () => {
  const table = createSigmaTable();

  it("spans the web UI's range", () => {
    expect(table.sigmaMin).toBeCloseTo(0.0291675329, 9);
    expect(table.sigmaMax).toBeCloseTo(14.6146421, 6);
  });

  it.each([0, 0.5, 10.25, 123.4, 777.75, 998.5, 999])("inverts t = %s", (t) => {
    expect(table.sigmaToT(table.tToSigma(t))).toBeCloseTo(t, 2);
  });

  it("clamps beyond the table", () => {
    expect(table.sigmaToT(1e-9)).toBe(0);
    expect(table.sigmaToT(1e9)).toBe(999);
  });
});

describe("predictions", () => {
  const clean = Float32Array.of(0.5, -1, 2);
  const noise = Float32Array.of(1, 0.25, -0.5);

  // The defining property: a network that predicts the target exactly is denoised to the clean image.
  it.each(Object.values(predictions))("$name: target and denoised estimate agree", (prediction) => {
    const alpha = 0.3;
    const sigma = Math.sqrt((1 - alpha) / alpha);
    const noisy = addNoise(clean, noise, alpha).map((v) => v / Math.sqrt(alpha));
    const estimate = denoised(prediction, lossTarget(prediction, clean, noise, alpha), noisy, sigma);
    estimate.forEach((v, i) => expect(v).toBeCloseTo(clean[i] ?? NaN, 5));
  });

  it.each(Object.values(predictions))("$name: the noise can be recovered from the target", (prediction) => {
    const alpha = 0.3;
    const noisy = addNoise(clean, noise, alpha);
    const target = lossTarget(prediction, clean, noise, alpha);
    const { input, out } = prediction.noiseWeights(alpha);
    noise.forEach((v, i) => expect(input * (noisy[i] ?? 0) + out * (target[i] ?? 0)).toBeCloseTo(v, 5));
  });

  it("predicts noise as the target itself", () => {
    expect(lossTarget(epsilonPrediction, clean, noise, 0.3)).toEqual(noise);
  });
});

describe("loss weights", () => {
  it("caps the ratio at gamma", () => {
    expect(minSnrWeight(1175.44055, 5, "epsilon")).toBeCloseTo(0.004254, 6);
    expect(minSnrWeight(0.5, 5, "epsilon")).toBe(1);
    expect(minSnrWeight(1175.44055, 5, "v")).toBeCloseTo(0.00425, 6);
    expect(minSnrWeight(1175, 0, "epsilon")).toBe(1);
  });

  it("gives the huber threshold of each schedule", () => {
    expect(huberThreshold("exponential", 0.1, 500, 1)).toBeCloseTo(0.316228, 6);
    expect(huberThreshold("snr", 0.1, 500, 1.61828)).toBeCloseTo(0.231284, 6);
    expect(huberThreshold("constant", 0.1, 500, 1, 2)).toBe(0.2);
  });
});

it("embeds timesteps as cosines, then sines", () => {
  expect([...timestepEmbedding(0, 8)]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  const [cos = 0, , , , sin = 0] = timestepEmbedding(1, 8);
  expect([cos, sin]).toEqual([Math.fround(Math.cos(1)), Math.fround(Math.sin(1))]);
});
