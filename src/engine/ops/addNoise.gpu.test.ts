import { describe, expect, it } from "vitest";
import { checkOp } from "../testing/opHarness";
import { testDevice } from "../testing/testDevice";
import { addNoise } from "./addNoise";

const size = [3, 7, 9, 4];
const perImage = 7 * 9 * 4;

describe("addNoise", () => {
  it.each(["f32", "f16"] as const)(
    "mixes each image with its own coefficients, stored as %s",
    async (activationType) => {
      const report = await checkOp(await testDevice(), {
        activationType,
        inputs: {
          x0: { shape: size, as: "f32" },
          noise: { shape: size, as: "f32" },
          coefficients: { shape: [3, 4], as: "f32" },
        },
        build: (g, { x0, noise, coefficients }) =>
          x0 && noise && coefficients ? [addNoise(g, "noisy", x0, noise, coefficients)] : [],
        reference: ({
          x0 = new Float64Array(),
          noise = new Float64Array(),
          coefficients = new Float64Array(),
        }) => [
          x0.map((value, i) => {
            const image = Math.floor(i / perImage);
            return (
              (coefficients[4 * image] ?? 0) * value + (coefficients[4 * image + 1] ?? 0) * (noise[i] ?? 0)
            );
          }),
        ],
      });
      expect(report.outputs[0]).toHaveLength(3 * perImage);
    },
  );
});
