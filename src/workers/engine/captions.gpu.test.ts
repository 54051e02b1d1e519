/** Captions that change from draw to draw, on Mini: what the trainer is fed is what was planned. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadClipTokenizer } from "../../../tools/lib/clipTokenizer";
import { openFileSource, type FileSource } from "../../../tools/lib/fileSource";
import { plainCaptions } from "../../dataset/captionPlan";
import { testDevice } from "../../engine/testing/testDevice";
import { loraModules } from "../../formats/lora/modules";
import { CLIP_EOS } from "../../formats/tokenizer/clipTokenizer";
import type { LoadedModel } from "../../models/loadedModel";
import { openCheckpoint } from "../../models/openCheckpoint";
import { planCaptions } from "./captions";
import { Trainer, type CaptionDraw, type TrainerData, type TrainerSettings } from "../../training/trainer";

const MINI = fileURLToPath(new URL("../../../public/models/mini.safetensors", import.meta.url));

const settings: TrainerSettings = {
  steps: 40,
  batchSize: 2,
  rank: 2,
  alpha: 2,
  learningRate: 2e-3,
  textEncoderLearningRate: 0,
  trainTextEncoder: false,
  lrScheduler: "constant",
  lrWarmupSteps: 0,
  weightDecay: 0,
  maxGradNorm: 1,
  clipSkip: 1,
  captionDropout: 0,
  minSnrGamma: 0,
  noiseOffset: 0,
  seed: 3,
  recompute: false,
  memoryLimit: 0,
};

let source: FileSource;
let model: LoadedModel;

beforeAll(async () => {
  source = await openFileSource(MINI);
  model = await openCheckpoint(await testDevice(), source, { weightType: "f32", activationType: "f32" });
});

afterAll(async () => {
  await model.release();
  await source.close();
});

/** Two pictures with captions of tags, shuffled anew at every draw. */
async function shuffledData(draws: CaptionDraw[]): Promise<TrainerData> {
  const tokenizer = await loadClipTokenizer();
  const captions = planCaptions(
    ["a house, red, night, stars", "a fish, blue, water, round"],
    { ...plainCaptions, shuffleCaption: true, trigger: "", seed: settings.seed, steps: settings.steps },
    (text) => tokenizer.encodePadded(text, CLIP_EOS),
  );
  return {
    captions: captions.rows,
    captionAt: (draw) => {
      draws.push(draw);
      return captions.at?.(draw) ?? [];
    },
    examples: captions.index.map((caption, index) => ({
      moments: new Float32Array(4 * 4 * 8).map((_, i) => (i % 8 < 4 ? Math.sin(i + index) : -6)),
      height: 4,
      width: 4,
      caption,
      repeats: 1,
    })),
  };
}

function create(data: TrainerData, checkpoint?: Uint8Array<ArrayBuffer>): Promise<Trainer> {
  const targets = loraModules(model.config)
    .filter(({ part }) => part === "unet")
    .map(({ name, checkpointKey }) => ({ name, path: checkpointKey.replace(/\.weight$/, "") }));
  return Trainer.create(model, data, settings, targets, { ...(checkpoint && { checkpoint }) });
}

async function after(trainer: Trainer, steps: number): Promise<Float32Array> {
  while (trainer.step < steps) await trainer.advance();
  return trainer.session.buffers.read("parameter");
}

it("draws every caption anew, counts epochs from one, and resumes to the same bits across a window", async () => {
  const draws: CaptionDraw[] = [];
  const data = await shuffledData(draws);
  const whole = await create(data);
  const { loss } = await whole.advance();
  const straight = await after(whole, 18);
  whole.dispose();
  const texts = new Set(draws.map((draw) => data.captionAt?.(draw).join()));
  expect(texts.size).toBeGreaterThan(12);
  expect(Math.min(...draws.map(({ epoch }) => epoch))).toBe(1);

  const first = await create(data);
  await after(first, 5);
  const checkpoint = await first.checkpoint();
  first.dispose();
  const second = await create(data, checkpoint);
  expect(await after(second, 18)).toEqual(straight);
  second.dispose();

  const { captionAt: _, ...fixed } = data;
  const plain = await create(fixed);
  expect((await plain.advance()).loss).not.toBe(loss);
  plain.dispose();
});
