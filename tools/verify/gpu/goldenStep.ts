/** The training step of a `lora-step` case on a model, however that stores its weights. */
import { channelsFirst, concatenate } from "../../../src/base/layout";
import { debiasedWeight, minSnrWeight, scaleVLossLikeNoise } from "../../../src/diffusion/lossWeights";
import { alphasCumprod, snr } from "../../../src/diffusion/noiseSchedule";
import { latentMask } from "../../../src/training/latentMask";
import type { StepInputs } from "../../../src/training/trainingSession";
import type { LoadedModel } from "../../../src/models/loadedModel";
import type { VerifyCase } from "../types";
import { floats, goldenTensor, params } from "./goldenModel";
import { goldenSession, latentsOf } from "./goldenTraining";

export interface GoldenStep {
  /** `[batch, channels, height, width]` */
  readonly prediction: Float32Array;
  /** Weighted, one per image. */
  readonly losses: readonly number[];
  /** By kohya's key. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

export async function goldenStep(c: VerifyCase, model: LoadedModel): Promise<GoldenStep> {
  const [latents, noise] = [await floats(c, "latents"), await offsetNoise(c)];
  const [batch = 0, channels = 0] = latents.shape;
  const timesteps = Array.from((await goldenTensor(c, "timesteps")).data);
  const masked = (await c.tensors()).has("mask");
  const golden = await goldenSession(c, model, await goldenTensor(c, "ids"), latents.shape, batch, masked);
  const { session, shape } = golden;
  const lossWeights = (await floats(c, "loss_weights")).data;
  const weights = timesteps.map((t, image) => (lossWeights[image] ?? 1) * timestepWeight(params(c), t));
  try {
    session.queue(
      shape,
      {
        latents: latentsOf(latents.data, shape, channels),
        noise: latentsOf(noise, shape, channels),
        timesteps,
        weights,
        ...(await maskOf(c)),
        ...(await golden.conditioning(timesteps.map((_, row) => row))),
      },
      "backward",
    );
    const prediction = await session.readPrediction(shape);
    const { weighted } = await session.readLosses(shape);
    return {
      prediction: channelsFirst(prediction, batch, channels, shape.height * shape.width),
      losses: weighted,
      gradients: await golden.tensors("gradient"),
    };
  } finally {
    session.dispose();
    await model.releasePrograms();
  }
}

/** Names what a case needs and the trainer does not have. */
export function unbuiltOption(p: Record<string, unknown>): string | undefined {
  if (p["loss_type"] !== undefined && p["loss_type"] !== "l2") return `the ${String(p["loss_type"])} loss`;
  if (p["conv_rank"] !== undefined) return "training LoRA on 3×3 convolutions";
  return undefined;
}

async function maskOf(c: VerifyCase): Promise<Pick<StepInputs, "mask">> {
  if (!(await c.tensors()).has("mask")) return {};
  const { data, shape } = await floats(c, "mask");
  const [batch = 0, , height = 0, width = 0] = shape;
  const masks = Array.from({ length: batch }, (_, image) =>
    latentMask(data.subarray(image * height * width, (image + 1) * height * width), width, height),
  );
  return { mask: concatenate(masks) };
}

async function offsetNoise(c: VerifyCase): Promise<Float32Array> {
  const noise = await floats(c, "noise");
  const offset = Number(params(c)["noise_offset"] ?? 0);
  if (offset === 0) return noise.data;
  const perChannel = (await floats(c, "noise_offset_noise")).data;
  const pixels = noise.data.length / perChannel.length;
  return noise.data.map((value, i) => value + offset * (perChannel[Math.floor(i / pixels)] ?? 0));
}

function timestepWeight(p: Record<string, unknown>, t: number): number {
  const ratio = snr(alphasCumprod())[t] ?? 1;
  const prediction = p["prediction"] === "v" ? "v" : "epsilon";
  let weight = minSnrWeight(ratio, Number(p["min_snr_gamma"] ?? 0), prediction);
  if (p["scale_v_pred_loss_like_noise_pred"] === true) weight *= scaleVLossLikeNoise(ratio);
  if (p["debiased_estimation_loss"] === true) weight *= debiasedWeight(ratio, prediction);
  return weight;
}
