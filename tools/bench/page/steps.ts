/** Whole training steps of the built-in Mini model: forward, backward and update, on random latents. */
import { planFlops } from "../../../src/engine/cost";
import type { EngineDevice } from "../../../src/engine/device";
import { loraModules } from "../../../src/formats/lora/modules";
import { fromBytes } from "../../../src/formats/safetensors/source";
import { bindTarget, LoraBinding } from "../../../src/models/lora/binding";
import { initialLora } from "../../../src/models/lora/flatValues";
import { openCheckpoint } from "../../../src/models/openCheckpoint";
import type { TrainingShape } from "../../../src/training/trainingGraph";
import {
  TrainingSession,
  type OptimizerSettings,
  type StepInputs,
} from "../../../src/training/trainingSession";
import type { StepResult } from "../types";

const MODEL = "mini.safetensors";
const RANK = 16;
const SHAPE: TrainingShape = { batch: 1, height: 16, width: 16, tokens: 77 };
/** Steps before the clock starts: the first one compiles, the second still warms caches. */
const WARM_UP = 2;

const optimizer: OptimizerSettings = {
  learningRate: 1e-4,
  textEncoderLearningRate: 0,
  weightDecay: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  maxGradNorm: 1,
  update: 1,
};

export async function benchSteps(device: EngineDevice, count: number): Promise<StepResult> {
  const model = await openCheckpoint(device, fromBytes(await fetchModel(), MODEL));
  const targets = loraModules(model.config)
    .filter(({ part }) => part === "unet")
    .map(bindTarget);
  const lora = new LoraBinding(targets, RANK, 1);
  const options = { lora, trainTextEncoder: false, clipSkip: 1, recompute: false, memoryLimit: 0 };
  const session = await TrainingSession.create(model, [SHAPE], options);
  session.buffers.write("parameter", initialLora(session.layout, lora.groups, RANK, 1));
  const latents = SHAPE.height * SHAPE.width * model.config.unet.inChannels;
  const inputs: StepInputs = {
    latents: noise(latents, 1),
    noise: noise(latents, 2),
    timesteps: [500],
    weights: [1],
    context: noise(SHAPE.tokens * model.config.unet.contextDim, 3),
  };
  const rounds: number[] = [];
  for (let step = 0; step < WARM_UP + count; step++) {
    const begin = performance.now();
    session.queue(SHAPE, inputs, "update", false, { ...optimizer, update: step + 1 });
    // The loss arrives when the whole step is done.
    const { unweighted } = await session.readLosses(SHAPE);
    if (!unweighted.every(Number.isFinite)) throw new Error("a step of Mini has no finite loss");
    const milliseconds = performance.now() - begin;
    session.learnSpeed(SHAPE, milliseconds / 1000);
    if (step >= WARM_UP) rounds.push(milliseconds);
  }
  const plans = [...session.plans.values()];
  session.dispose();
  await model.release();
  return {
    model: MODEL,
    shape: `${8 * SHAPE.width}², rank ${RANK}`,
    dispatches: plans.reduce((total, plan) => total + plan.calls.length, 0),
    gflop: plans.reduce((total, plan) => total + planFlops(plan).total, 0) / 1e9,
    rounds,
  };
}

async function fetchModel(): Promise<Uint8Array> {
  const response = await fetch(`/models/${MODEL}`);
  if (!response.ok) throw new Error(`${MODEL} was not served: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Uniform with standard deviation 1: the network only has to be kept busy with finite numbers. */
function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.sqrt(12) * (state / 2 ** 32 - 0.5);
  });
}
