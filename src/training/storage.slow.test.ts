/** How far quantised weights and half-precision activations move Mini's prediction and LoRA gradients from f32. */
import { describe, expect, it } from "vitest";
import { MINI, miniStep } from "../../tools/bench/miniStep";
import { relativeError } from "../../tools/bench/quantisation";
import { openFileSource } from "../../tools/lib/fileSource";
import { testDevice } from "../engine/testing/testDevice";
import type { ActivationType, WeightType } from "../engine/tensor";
import { openCheckpoint } from "../models/openCheckpoint";

type Measured = Awaited<ReturnType<typeof miniStep>>;

async function measure(weightType: WeightType, activationType: ActivationType): Promise<Measured> {
  const source = await openFileSource(MINI);
  const model = await openCheckpoint(await testDevice(), source, { weightType, activationType });
  const values = await miniStep(model);
  await model.release();
  await source.close();
  return values;
}

describe("storage of weights and activations", () => {
  let exact: Measured | undefined;

  it.each([
    ["f16", "f32", 0.001, 0.003],
    ["f16", "f16", 0.01, 0.02],
    ["q8", "f32", 0.01, 0.03],
    ["q8", "f16", 0.015, 0.04],
    ["q4", "f32", 0.06, 0.12],
  ] as const)(
    "weights %s, activations %s",
    async (weightType, activationType, predictionLimit, gradientLimit) => {
      exact ??= await measure("f32", "f32");
      const stored = await measure(weightType, activationType);
      expect(relativeError(stored.prediction, exact.prediction)).toBeLessThan(predictionLimit);
      expect(relativeError(stored.gradients, exact.gradients)).toBeLessThan(gradientLimit);
    },
  );
});
