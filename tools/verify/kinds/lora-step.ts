/** Golden kind `lora-step`: one training step → loss and the gradient of every LoRA tensor. */
import { channelsFirst } from "../../../src/base/layout";
import { debiasedWeight, minSnrWeight, scaleVLossLikeNoise } from "../../../src/diffusion/lossWeights";
import { alphasCumprod, snr } from "../../../src/diffusion/noiseSchedule";
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel, goldenTensor, params } from "../gpu/goldenModel";
import { goldenSession, latentsOf } from "../gpu/goldenTraining";
import type { VerifyCase, VerifyEnv, VerifyKind, VerifyOutcome } from "../types";

export const kind: VerifyKind = { name: "lora-step", run: step };

async function step(c: VerifyCase, env: VerifyEnv): Promise<VerifyOutcome> {
  const unbuilt = unbuiltOption(params(c), await c.tensors());
  if (unbuilt) return { status: "skipped", detail: `${unbuilt} is not built yet` };
  const model = await goldenModel(c, env);
  const [latents, noise] = [await floats(c, "latents"), await offsetNoise(c)];
  const [batch = 0, channels = 0] = latents.shape;
  const timesteps = Array.from((await goldenTensor(c, "timesteps")).data);
  const golden = await goldenSession(c, model, await goldenTensor(c, "ids"), latents.shape, batch);
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
        ...(await golden.conditioning(timesteps.map((_, row) => row))),
      },
      "backward",
    );
    const checks = new Checks();
    const prediction = channelsFirst(
      await session.readPrediction(shape),
      batch,
      channels,
      shape.height * shape.width,
    );
    checks.close("pred", prediction, (await floats(c, "pred")).data, toleranceOf(c.case));
    const { weighted } = await session.readLosses(shape);
    const loss = weighted.reduce((total, one) => total + one, 0) / batch;
    const limits = c.case["tolerance"] as { loss_rel: number; grad_rel: number };
    checks.close("loss", [loss], [Number(c.case["loss"])], { rel: limits.loss_rel, abs: 0 });
    await checkGradients(c, await golden.tensors("gradient"), limits.grad_rel, checks);
    return checks.outcome();
  } finally {
    session.dispose();
    await model.releasePrograms();
  }
}

/** Names what a case needs and the trainer does not have. */
function unbuiltOption(
  p: Record<string, unknown>,
  tensors: ReadonlyMap<string, unknown>,
): string | undefined {
  if (p["loss_type"] !== undefined && p["loss_type"] !== "l2") return `the ${String(p["loss_type"])} loss`;
  if (tensors.has("mask")) return "the masked loss";
  if (p["conv_rank"] !== undefined) return "training LoRA on 3×3 convolutions";
  return undefined;
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

async function checkGradients(
  c: VerifyCase,
  gradients: ReadonlyMap<string, Float32Array>,
  limit: number,
  checks: Checks,
): Promise<void> {
  const total = Number(c.case["grad_norm"]);
  const close = (key: string, difference: number, reference: number) =>
    checks.that(
      `${key}: off by ${(difference / Math.max(reference, 1e-4 * total)).toExponential(2)}`,
      difference <= limit * Math.max(reference, 1e-4 * total),
    );
  let compared = 0;
  for (const name of (await c.tensors()).keys()) {
    if (!name.startsWith("grad.")) continue;
    const expected = (await floats(c, name)).data;
    const actual = gradients.get(name.slice("grad.".length));
    close(
      name,
      actual ? norm(expected.map((value, i) => value - (actual[i] ?? 0))) : Infinity,
      norm(expected),
    );
    compared++;
  }
  for (const [key, expected] of Object.entries((c.case["grad_norms"] ?? {}) as Record<string, number>)) {
    close(key, Math.abs(norm(gradients.get(key) ?? new Float32Array()) - expected), expected);
    compared++;
  }
  for (const key of (c.case["no_grad"] ?? []) as string[])
    checks.that(`${key} has a gradient`, norm(gradients.get(key) ?? new Float32Array()) === 0);
  checks.that("no gradient was compared", compared > 0);
}

function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
