/** How far quantised weights and half-precision activations move Mini's prediction and LoRA gradients from f32. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openFileSource } from "../../tools/lib/fileSource";
import { counterNormal } from "../base/random/counter";
import { testDevice } from "../engine/testing/testDevice";
import type { ActivationType, WeightType } from "../engine/tensor";
import { loraModules } from "../formats/lora/modules";
import { bindTarget, LoraBinding } from "../models/lora/binding";
import { initialLora } from "../models/lora/flatValues";
import { openCheckpoint } from "../models/openCheckpoint";
import { TrainingSession } from "./trainingSession";

const MINI = fileURLToPath(new URL("../../public/models/mini.safetensors", import.meta.url));
const shape = { batch: 1, height: 4, width: 4, tokens: 77 };

interface Measured {
  readonly prediction: Float32Array;
  readonly gradient: Float32Array;
}

async function measure(weightType: WeightType, activationType: ActivationType): Promise<Measured> {
  const source = await openFileSource(MINI);
  const model = await openCheckpoint(await testDevice(), source, { weightType, activationType });
  const targets = loraModules(model.config)
    .filter(({ part }) => part === "unet")
    .map(bindTarget);
  const lora = new LoraBinding(targets, 4, 1);
  const session = await TrainingSession.create(model, [shape], {
    lora,
    trainTextEncoder: false,
    clipSkip: 1,
    recompute: false,
    keepPrediction: true,
  });
  const values = initialLora(session.layout, lora.groups, 4, 1);
  // `up` away from zero, so that `down` has gradients too; the padding of rank 4 is empty.
  const random = new Float32Array(values.length);
  counterNormal(2, 0, 0, random);
  session.buffers.write(
    "parameter",
    values.map((value, i) => (value === 0 ? 0.02 * (random[i] ?? 0) : value)),
  );
  session.queue(
    shape,
    {
      latents: drawn(64, 1),
      noise: drawn(64, 3),
      timesteps: [500],
      weights: [1],
      context: drawn(77 * 128, 4),
    },
    "backward",
  );
  const prediction = await session.readPrediction(shape);
  const scale = activationType === "f16" ? 1 / 1024 : 1;
  const gradient = (await session.buffers.read("gradient")).map((value) => value * scale);
  session.dispose();
  await model.release();
  await source.close();
  return { prediction, gradient };
}

function drawn(count: number, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  counterNormal(seed, 0, 0, values);
  return values;
}

function relative(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let norm = 0;
  b.forEach((value, i) => {
    difference += ((a[i] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

describe("storage of weights and activations", () => {
  let exact: Measured | undefined;

  it.each([
    ["f16", "f32", 0.001, 0.003],
    ["f16", "f16", 0.01, 0.02],
    ["q8", "f32", 0.01, 0.03],
    ["q8", "f16", 0.015, 0.04],
    ["q4", "f32", 0.25, 0.4],
  ] as const)(
    "weights %s, activations %s",
    async (weightType, activationType, predictionLimit, gradientLimit) => {
      exact ??= await measure("f32", "f32");
      const stored = await measure(weightType, activationType);
      const errors = {
        prediction: relative(stored.prediction, exact.prediction),
        gradient: relative(stored.gradient, exact.gradient),
      };
      console.info(
        `weights ${weightType}, activations ${activationType}: prediction ${errors.prediction.toExponential(2)}, gradients ${errors.gradient.toExponential(2)}`,
      );
      expect(errors.prediction).toBeLessThan(predictionLimit);
      expect(errors.gradient).toBeLessThan(gradientLimit);
    },
  );
});
