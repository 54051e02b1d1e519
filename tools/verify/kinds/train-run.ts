/** Golden kind `train-run`: several optimizer steps from given noise and timesteps → losses and final LoRA. */
import { learningRateAt } from "../../../src/training/schedules";
import { lrScheduleMeta, type LrScheduleName } from "../../../src/training/schedules/meta";
import { Checks } from "../compare";
import { floats, goldenModel, goldenTensor, integerRows, params } from "../gpu/goldenModel";
import { goldenSession, latentsOf, type GoldenSession } from "../gpu/goldenTraining";
import type { VerifyCase, VerifyEnv, VerifyKind, VerifyOutcome } from "../types";

export const kind: VerifyKind = { name: "train-run", run: train };

async function train(c: VerifyCase, env: VerifyEnv): Promise<VerifyOutcome> {
  const optimizer = String(params(c)["optimizer"]);
  if (optimizer !== "AdamW")
    return { status: "skipped", detail: `the optimizer ${optimizer} is not built yet` };
  const model = await goldenModel(c, env);
  const images = await floats(c, "images");
  const imageIndex = integerRows(await goldenTensor(c, "image_index"));
  const batch = imageIndex[0]?.length ?? 0;
  const golden = await goldenSession(c, model, await goldenTensor(c, "ids"), images.shape, batch);
  const checks = new Checks();
  try {
    const initial = await golden.tensors("parameter");
    await runSteps(c, golden, images, imageIndex, checks);
    await checkFinal(c, initial, await golden.tensors("parameter"), checks);
    return checks.outcome();
  } finally {
    golden.session.dispose();
    await model.releasePrograms();
  }
}

async function runSteps(
  c: VerifyCase,
  { session, shape, conditioning }: GoldenSession,
  images: { shape: number[]; data: Float32Array },
  imageIndex: readonly (readonly number[])[],
  checks: Checks,
): Promise<void> {
  const [, channels = 0, height = 0, width = 0] = images.shape;
  const size = channels * height * width;
  const noise = (await floats(c, "noise")).data;
  const timesteps = integerRows(await goldenTensor(c, "timesteps"));
  const losses = c.case["loss"] as number[];
  const norms = c.case["grad_norm"] as number[];
  const accumulation = Number(params(c)["gradient_accumulation_steps"] ?? 1);
  const limits = c.case["tolerance"] as { loss_rel: number };
  for (const [micro, members] of imageIndex.entries()) {
    const latents = Float32Array.from(
      members.flatMap((index) => [...images.data.subarray(index * size, (index + 1) * size)]),
    );
    const stepNoise = noise.subarray(micro * members.length * size, (micro + 1) * members.length * size);
    const update = Math.floor(micro / accumulation);
    const isLast = (micro + 1) % accumulation === 0;
    session.queue(
      shape,
      {
        latents: latentsOf(latents, shape, channels),
        noise: latentsOf(stepNoise, shape, channels),
        timesteps: timesteps[micro] ?? [],
        weights: members.map(() => 1 / accumulation),
        ...(await conditioning(members)),
      },
      isLast ? "update" : "backward",
      micro % accumulation !== 0,
      optimizerSettings(c, update),
    );
    const { unweighted } = await session.readLosses(shape);
    const loss = unweighted.reduce((total, one) => total + one, 0) / members.length;
    checks.close(`loss ${micro}`, [loss], [losses[micro] ?? Number.NaN], { rel: limits.loss_rel, abs: 0 });
    if (isLast)
      checks.close(
        `grad_norm ${update}`,
        [(await session.readUpdate(shape)).gradientNorm],
        [norms[update] ?? Number.NaN],
        { rel: 1e-3, abs: 0 },
      );
  }
}

function optimizerSettings(c: VerifyCase, update: number) {
  const p = params(c);
  const scheduler = String(p["lr_scheduler"]);
  const name = (Object.keys(lrScheduleMeta) as LrScheduleName[]).find((one) => one === scheduler);
  if (!name) throw new Error(`the schedule "${scheduler}" is not known`);
  const rate = learningRateAt(name, update, {
    lr: Number(p["lr"]),
    totalSteps: Number(p["optimizer_steps"]),
    warmupSteps: Number(p["lr_warmup_steps"] ?? 0),
  });
  const [beta1 = 0, beta2 = 0] = p["betas"] as number[];
  return {
    learningRate: rate,
    textEncoderLearningRate: rate,
    weightDecay: Number(p["weight_decay"]),
    beta1,
    beta2,
    epsilon: Number(p["eps"]),
    maxGradNorm: Number(p["max_grad_norm"]),
    update: update + 1,
  };
}

/** Ups together, and the movement of downs together, as the golden README says. */
async function checkFinal(
  c: VerifyCase,
  initial: ReadonlyMap<string, Float32Array>,
  final: ReadonlyMap<string, Float32Array>,
  checks: Checks,
): Promise<void> {
  const limits = c.case["tolerance"] as { up_rel: number; delta_down_rel: number };
  const ups: [number[], number[]] = [[], []];
  const downs: [number[], number[]] = [[], []];
  for (const name of (await c.tensors()).keys()) {
    if (!name.startsWith("final.")) continue;
    const key = name.slice("final.".length);
    const expected = (await floats(c, name)).data;
    const actual = final.get(key) ?? new Float32Array();
    const start = key.endsWith("lora_down.weight")
      ? (initial.get(key) ?? new Float32Array())
      : new Float32Array(expected.length);
    const [got, wanted] = key.endsWith("lora_down.weight") ? downs : ups;
    expected.forEach((value, i) => {
      got.push((actual[i] ?? Number.NaN) - (start[i] ?? 0));
      wanted.push(value - (start[i] ?? 0));
    });
  }
  checks.close("lora_up", ups[0], ups[1], { rel: limits.up_rel, abs: 0 });
  checks.close("lora_down − initial", downs[0], downs[1], { rel: limits.delta_down_rel, abs: 0 });
}
