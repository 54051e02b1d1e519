/** The training loop on Mini, the embedded model: memory, repeatability, resuming, learning. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFileSource, type FileSource } from "../../tools/lib/fileSource";
import { testDevice } from "../engine/testing/testDevice";
import { loraModules } from "../formats/lora/modules";
import type { LoadedModel } from "../models/loadedModel";
import { bindTarget } from "../models/lora/binding";
import { openCheckpoint } from "../models/openCheckpoint";
import { counterNormal } from "../base/random/counter";
import { Trainer, type StepReport, type TrainerData, type TrainerSettings } from "./trainer";
import { STEPS_IN_FLIGHT } from "./trainingSession";

const MINI = fileURLToPath(new URL("../../public/models/mini.safetensors", import.meta.url));

const settings: TrainerSettings = {
  steps: 40,
  batchSize: 2,
  rank: 6,
  alpha: 6,
  learningRate: 2e-3,
  textEncoderLearningRate: 0,
  trainTextEncoder: false,
  lrScheduler: "constant",
  lrWarmupSteps: 0,
  weightDecay: 0.01,
  maxGradNorm: 1,
  clipSkip: 1,
  captionDropout: 0.1,
  minSnrGamma: 5,
  noiseOffset: 0.05,
  seed: 11,
  recompute: false,
  memoryLimit: 0,
};

let source: FileSource;
let model: LoadedModel;
let data: TrainerData;

beforeAll(async () => {
  source = await openFileSource(MINI);
  model = await openCheckpoint(await testDevice(), source, { weightType: "f32", activationType: "f32" });
  const captions = [0, 1].map((row) => [
    49406,
    ...Array.from({ length: 75 }, (_, i) => 320 + row * 100 + (i % 7)),
    49407,
  ]);
  data = {
    captions,
    examples: [4, 4, 4, 6].map((height, index) => ({
      moments: moments(height, 4, index),
      height,
      width: 4,
      caption: index % 2,
      repeats: 1,
    })),
  };
});

afterAll(async () => {
  await model.release();
  await source.close();
});

/** Smooth pictures with a little variance, as a VAE gives them. */
function moments(height: number, width: number, seed: number): Float32Array {
  const values = new Float32Array(height * width * 8);
  counterNormal(seed, 0, 0, values);
  return values.map((value, i) => (i % 8 < 4 ? 3 + value : -6));
}

function create(
  changes: Partial<TrainerSettings> = {},
  checkpoint?: Uint8Array<ArrayBuffer>,
): Promise<Trainer> {
  const targets = loraModules(model.config)
    .filter(({ part }) => part === "unet" || changes.trainTextEncoder)
    .map(bindTarget);
  return Trainer.create(model, data, { ...settings, ...changes }, targets, {
    ...(checkpoint && { checkpoint }),
  });
}

async function weightsAfter(trainer: Trainer, steps: number): Promise<Float32Array> {
  while (trainer.step < steps) await trainer.advance();
  return trainer.session.buffers.read("parameter");
}

describe("Trainer", () => {
  it("creates no buffer and no bind group in 50 steps after the first", async () => {
    const trainer = await create();
    await trainer.advance();
    const { buffers, bindGroups, pipelines } = { ...model.device.counts };
    for (let step = 0; step < 50; step++) await trainer.advance();
    expect(model.device.counts.buffers - buffers).toBe(0);
    expect(model.device.counts.bindGroups - bindGroups).toBe(0);
    expect(model.device.counts.pipelines - pipelines).toBe(0);
    trainer.dispose();
  });

  it("allocates what the plan says, within 5 %", async () => {
    await model.release();
    const before = model.device.counts.liveBytes;
    const trainer = await create();
    const largest = Math.max(
      ...[...trainer.session.plans.values()].map((plan) => plan.bytes.total - plan.bytes.staging),
    );
    const staging = [...trainer.session.plans.values()].reduce(
      (total, plan) => total + plan.bytes.staging,
      0,
    );
    await model.releasePrograms();
    model.weights.release((key) => key.startsWith("cond_stage_model."));
    const allocated = model.device.counts.liveBytes - before;
    expect(Math.abs(allocated / (largest + staging) - 1)).toBeLessThan(0.05);
    trainer.dispose();
  });

  it("gives the same bits when resumed from a checkpoint as when never stopped", async () => {
    const whole = await create();
    const straight = await weightsAfter(whole, 6);
    whole.dispose();
    const first = await create();
    await weightsAfter(first, 3);
    const checkpoint = await first.checkpoint();
    first.dispose();
    const second = await create({}, checkpoint);
    expect(second.step).toBe(3);
    expect(await weightsAfter(second, 6)).toEqual(straight);
    second.dispose();
  });

  it("reports the same steps and reaches the same bits when steps are queued behind each other", async () => {
    const waited = await create();
    const reports: StepReport[] = [];
    while (waited.step < 5) reports.push(await waited.advance());
    const queued = await create();
    const late: StepReport[] = [];
    while (queued.step < 5) {
      queued.queueStep();
      if (queued.inFlight === STEPS_IN_FLIGHT) late.push(await queued.nextReport());
    }
    while (queued.inFlight > 0) late.push(await queued.nextReport());
    const numbers = ({ step, loss, gradientNorm, learningRate }: StepReport) => [
      step,
      loss,
      gradientNorm,
      learningRate,
    ];
    expect(late.map(numbers)).toEqual(reports.map(numbers));
    expect(await weightsAfter(queued, 5)).toEqual(await weightsAfter(waited, 5));
    waited.dispose();
    queued.dispose();
  });

  it("counts of a masked picture what its mask says, and the others in full", async () => {
    const masks = [undefined, 0.5, 0, 0.25];
    const masked = data.examples.map((example, index) => {
      const share = masks[index];
      if (share === undefined) return example;
      return { ...example, mask: new Float32Array(example.height * example.width).fill(share) };
    });
    const losses = async (examples: TrainerData["examples"]): Promise<number> => {
      const targets = loraModules(model.config)
        .filter(({ part }) => part === "unet")
        .map(bindTarget);
      const trainer = await Trainer.create(
        model,
        { ...data, examples },
        { ...settings, batchSize: 1 },
        targets,
      );
      try {
        return await trainer.fixedNoiseLoss(4);
      } finally {
        trainer.dispose();
      }
    };
    let expected = 0;
    for (const [index, share = 1] of masks.entries()) {
      const only = data.examples.map((example, i) => ({
        ...example,
        mask: new Float32Array(example.height * example.width).fill(i === index ? 1 : 0),
      }));
      expected += share * (await losses(only));
    }
    expect(await losses(masked)).toBeCloseTo(expected, 5);
    expect(await losses(masked)).toBeLessThan(await losses(data.examples));
  });

  it("redoes activations to the same bits", async () => {
    const kept = await create();
    const redone = await create({ recompute: true });
    expect(await weightsAfter(redone, 2)).toEqual(await weightsAfter(kept, 2));
    const size = (trainer: Trainer) =>
      Math.max(...[...trainer.session.plans.values()].map((plan) => plan.bytes.activations));
    expect(size(redone)).toBeLessThan(size(kept));
    const whole = (trainer: Trainer) =>
      Math.max(...[...trainer.session.plans.values()].map((plan) => plan.bytes.total));
    const between = (whole(kept) + whole(redone)) / 2;
    const some = await create({ recompute: true, memoryLimit: between / 2 ** 30 });
    expect(whole(some)).toBeLessThanOrEqual(between);
    expect(whole(some)).toBeGreaterThan(whole(redone));
    expect(await weightsAfter(some, 2)).toEqual(await weightsAfter(kept, 2));
    for (const trainer of [kept, redone, some]) trainer.dispose();
  });

  it("trains the text encoder too when asked", async () => {
    const trainer = await create({ trainTextEncoder: true, textEncoderLearningRate: 1e-3 });
    await weightsAfter(trainer, 2);
    const text = (await trainer.lora()).filter(({ name }) => name.startsWith("lora_te_"));
    expect(text).toHaveLength(18);
    for (const { up } of text) expect(up.some((value) => value !== 0)).toBe(true);
    trainer.dispose();
  });

  it("lowers the loss at fixed noise", async () => {
    const trainer = await create();
    const before = await trainer.fixedNoiseLoss(8);
    await weightsAfter(trainer, 40);
    expect(await trainer.fixedNoiseLoss(8)).toBeLessThan(0.97 * before);
    const trained = await trainer.session.buffers.read("parameter");
    expect(await trainer.untrainedLoss(8)).toBe(before);
    expect(await trainer.session.buffers.read("parameter")).toEqual(trained);
    trainer.dispose();
  });
});
