import { describe, expect, it } from "vitest";
import { checkOp, measureOp, type OpCase, type Values } from "../testing/opHarness";
import { testDevice } from "../testing/testDevice";
import { diffusionLoss } from "./diffusionLoss";

function lossCase(
  images: number,
  target: "epsilon" | "v",
  { masked = false, ...extra }: Partial<OpCase> & { masked?: boolean } = {},
): OpCase {
  const shape = [images, 5, 3, 4];
  return {
    isLoss: true,
    inputs: {
      prediction: { shape, gradient: true },
      latents: { shape, as: "f32" },
      noise: { shape, as: "f32" },
      coefficients: { shape: [images, 4], as: "f32" },
      ...(masked && { mask: { shape: [images, 5, 3], as: "f32" as const } }),
    },
    build: (g, { prediction, latents, noise, coefficients, mask }) =>
      prediction && latents && noise && coefficients
        ? [diffusionLoss(g, "loss", { prediction, latents, noise, coefficients, mask }, target)]
        : [],
    reference: (values) => [losses(values, images, target)],
    ...extra,
  };
}

/** Rows of (weighted, unweighted, 0, 0). */
function losses(
  { prediction, latents, noise, coefficients, mask }: Values,
  images: number,
  target: "epsilon" | "v",
): Float64Array {
  const at = (values: Float64Array | undefined, i: number) => values?.[i] ?? Number.NaN;
  const perImage = 5 * 3 * 4;
  const rows = new Float64Array(4 * images);
  for (let image = 0; image < images; image++) {
    let sum = 0;
    for (let i = image * perImage; i < (image + 1) * perImage; i++) {
      const velocity =
        at(coefficients, 4 * image) * at(noise, i) - at(coefficients, 4 * image + 1) * at(latents, i);
      const error = at(prediction, i) - (target === "v" ? velocity : at(noise, i));
      sum += (mask ? at(mask, Math.floor(i / 4)) : 1) * error ** 2;
    }
    rows[4 * image] = (sum / perImage) * at(coefficients, 4 * image + 2);
    rows[4 * image + 1] = sum / perImage;
  }
  return rows;
}

describe("diffusionLoss", () => {
  it.each(["epsilon", "v"] as const)(
    "equals its reference and its numerical gradient for %s",
    async (target) => {
      const report = await checkOp(await testDevice(), lossCase(1, target));
      expect(report.repeatable).toBe(true);
    },
  );

  it.each(["epsilon", "v"] as const)(
    "counts each latent pixel as its mask says, and divides by all of them, for %s",
    async (target) => {
      const report = await checkOp(await testDevice(), lossCase(1, target, { masked: true }));
      expect(report.repeatable).toBe(true);
      // The numerical gradient is of one image's loss; here it is only that each image reads its own mask.
      await checkOp(await testDevice(), lossCase(2, target, { masked: true, gradientTolerance: Infinity }));
    },
  );

  it("weights each image of a batch and divides the gradient by the batch", async () => {
    const device = await testDevice();
    const one = await measureOp(device, lossCase(1, "epsilon", { seed: 7 }));
    const three = await checkOp(device, {
      ...lossCase(3, "epsilon", { seed: 7 }),
      gradientTolerance: Infinity,
    });
    expect(three.outputs[0]).toHaveLength(12);
    expect(one.gradients["prediction"]).toHaveLength(60);
  });

  it("multiplies the gradient by the loss scale, not the loss", async () => {
    const device = await testDevice();
    const plain = await measureOp(device, lossCase(2, "epsilon"));
    const scaled = await measureOp(device, lossCase(2, "epsilon", { scalars: { 5: 64 } }));
    expect(scaled.outputs[0]).toEqual(plain.outputs[0]);
    expect(scaled.gradients["prediction"]).toEqual(plain.gradients["prediction"]?.map((value) => 64 * value));
  });
});
