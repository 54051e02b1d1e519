/** One training step of Mini on drawn numbers: the same for every storage of its weights. */
import { fileURLToPath } from "node:url";
import { counterNormal } from "../../src/base/random/counter";
import { loraModules } from "../../src/formats/lora/modules";
import type { LoadedModel } from "../../src/models/loadedModel";
import { bindTarget, LoraBinding } from "../../src/models/lora/binding";
import { initialLora } from "../../src/models/lora/flatValues";
import { TrainingSession } from "../../src/training/trainingSession";

export const MINI = fileURLToPath(new URL("../../public/models/mini.safetensors", import.meta.url));

const SHAPE = { batch: 1, height: 4, width: 4, tokens: 77 };
const RANK = 4;

export async function miniStep(
  model: LoadedModel,
): Promise<{ readonly prediction: Float32Array; readonly gradients: Float32Array }> {
  const targets = loraModules(model.config)
    .filter(({ part }) => part === "unet")
    .map(bindTarget);
  const lora = new LoraBinding(targets, RANK, 1);
  const session = await TrainingSession.create(model, [SHAPE], {
    lora,
    trainTextEncoder: false,
    clipSkip: 1,
    recompute: false,
    memoryLimit: 0,
    keepPrediction: true,
  });
  const values = initialLora(session.layout, lora.groups, RANK, 1);
  // `up` away from zero, so that `down` has gradients too; the padding of rank 4 is empty.
  const random = drawn(values.length, 2);
  session.buffers.write(
    "parameter",
    values.map((value, i) => (value === 0 ? 0.02 * (random[i] ?? 0) : value)),
  );
  session.queue(
    SHAPE,
    {
      latents: drawn(64, 1),
      noise: drawn(64, 3),
      timesteps: [500],
      weights: [1],
      context: drawn(77 * model.config.unet.contextDim, 4),
    },
    "backward",
  );
  const prediction = await session.readPrediction(SHAPE);
  const scale = model.activationType === "f16" ? 1 / 1024 : 1;
  const gradients = (await session.buffers.read("gradient")).map((value) => value * scale);
  session.dispose();
  return { prediction, gradients };
}

function drawn(count: number, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  counterNormal(seed, 0, 0, values);
  return values;
}
