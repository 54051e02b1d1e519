/**
 * `npm run train`: the browser's engine without a browser. Progress goes to stderr, a JSON summary is the last thing on
 * stdout. The same adapter, model, pictures and seed give the same bytes.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { Command, Option } from "commander";
import { WeftError } from "../../src/base/errors";
import { presets, recipe, type PresetId } from "../../src/app/presets";
import type { RunCheckpoint, TrainEvent, TrainingSettings, TrainOutcome } from "../../src/workers/engine/api";
import { JobControl } from "../../src/workers/engine/jobControl";
import { runTraining } from "../../src/workers/engine/run";
import { reportingErrors } from "../lib/errors";
import { encodePng, openSession, type NodeSession } from "../lib/session";
import { readTrainingImages, type ReadImages } from "./images";

interface TrainOptions {
  readonly model: string;
  readonly images: string;
  readonly out: string;
  readonly preset: PresetId;
  readonly steps?: string;
  readonly rank?: string;
  readonly alpha?: string;
  readonly lr?: string;
  readonly size?: string;
  readonly batch?: string;
  readonly seed: string;
  readonly prompt: string;
  readonly saveEvery?: string;
  readonly fixedNoiseDraws?: string;
  readonly trainTextEncoder?: boolean;
  readonly resume?: boolean;
}

/** Files are byte-stable only with a fixed clock: the summary has the real times. */
const FIXED_CLOCK = 0;

await reportingErrors(async () => {
  const options = parseOptions();
  await mkdir(path.dirname(options.out), { recursive: true });
  const read = await readTrainingImages(options.images);
  for (const { name, reason } of read.refused) process.stderr.write(`left out ${name}: ${reason}\n`);
  if (read.images.length === 0)
    throw new WeftError(
      "no-images",
      `"${options.images}" holds no usable picture.`,
      "Put PNG, JPEG, WebP or AVIF files there, with a .txt caption beside each.",
    );
  const session = await openSession(options.model);
  try {
    const settings = settingsOf(options, session);
    const outcome = await train(options, settings, session, read);
    await writeFile(options.out, outcome.lora.bytes);
    process.stdout.write(`${JSON.stringify(summary(options, settings, session, read, outcome), null, 2)}\n`);
  } finally {
    await session.close();
  }
});
process.exit();

function parseOptions(): TrainOptions {
  return new Command("train")
    .requiredOption("--model <file>", "a Stable Diffusion checkpoint (.safetensors)")
    .requiredOption("--images <dir>", "pictures with .txt captions beside them")
    .requiredOption("--out <file>", "the LoRA to write")
    .addOption(new Option("--preset <name>").choices(presets.map(({ id }) => id)).default("style"))
    .option("--steps <n>")
    .option("--rank <r>")
    .option("--alpha <x>")
    .option("--lr <x>")
    .option("--size <px>", "edge of the square whose area the pictures share")
    .option("--batch <n>")
    .option("--seed <n>", "", "42")
    .option("--prompt <text>", "a sample picture every so many steps", "")
    .option("--save-every <n>", "a checkpoint every so many steps")
    .option("--fixed-noise-draws <n>", "draws at which the loss is compared before and after; 0 is none")
    .option("--train-text-encoder")
    .option("--resume", "go on from the checkpoint beside the output file")
    .parse(process.argv)
    .opts<TrainOptions>();
}

function settingsOf(options: TrainOptions, { model }: NodeSession): TrainingSettings {
  const { nativeSize } = model;
  const base = recipe(options.preset, { family: model.config.family, nativeSize });
  const rank = number(options.rank, base.rank);
  const learningRate = number(options.lr, base.learningRate);
  const steps = number(options.steps, base.steps);
  return {
    ...base,
    name: path.basename(options.out, ".safetensors"),
    preset: options.preset,
    trigger: "",
    steps,
    rank,
    alpha: number(options.alpha, rank),
    learningRate,
    lrWarmupSteps: Math.min(base.lrWarmupSteps, Math.floor(steps / 10)),
    resolution: number(options.size, nativeSize),
    batchSize: number(options.batch, base.batchSize),
    seed: number(options.seed, 42),
    samplePrompt: options.prompt,
    saveEvery: number(options.saveEvery, base.saveEvery),
    fixedNoiseDraws: number(options.fixedNoiseDraws, base.fixedNoiseDraws),
    trainTextEncoder: options.trainTextEncoder === true,
    textEncoderLearningRate: options.trainTextEncoder === true ? learningRate / 10 : 0,
  };
}

function number(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new WeftError("option", `"${text}" is not a number.`, "Check the options.");
}

async function train(
  options: TrainOptions,
  settings: TrainingSettings,
  session: NodeSession,
  { images }: ReadImages,
): Promise<TrainOutcome> {
  const resumeFrom = options.resume ? await readCheckpoint(checkpointFile(options)) : undefined;
  const writes: Promise<void>[] = [];
  const request = {
    runId: settings.name,
    modelId: session.sha256,
    settings,
    images: [...images],
    ...(resumeFrom && { resumeFrom }),
  };
  const control = new JobControl();
  process.once("SIGINT", () => control.cancel());
  const outcome = await runTraining(request, {
    model: session.model,
    modelSha256: session.sha256,
    tokenizer: session.tokenizer,
    encodePng,
    control,
    now: () => FIXED_CLOCK,
    onEvent: (event) => {
      report(event);
      if (event.kind === "checkpoint")
        writes.push(writeFile(checkpointFile(options), event.checkpoint.bytes));
      if (event.kind === "sample") writes.push(writeSample(options, event));
    },
  });
  await Promise.all(writes);
  return outcome;
}

function checkpointFile({ out }: TrainOptions): string {
  return out.replace(/(\.safetensors)?$/, ".checkpoint");
}

async function readCheckpoint(file: string): Promise<RunCheckpoint> {
  try {
    return { step: 0, checksum: "", bytes: new Uint8Array(await readFile(file)) };
  } catch {
    throw new WeftError(
      "no-checkpoint",
      `There is no checkpoint "${file}" to go on from.`,
      "Leave out --resume to start from the beginning.",
    );
  }
}

async function writeSample(
  { out }: TrainOptions,
  { step, image }: Extract<TrainEvent, { kind: "sample" }>,
): Promise<void> {
  const folder = path.join(path.dirname(out), "samples");
  await mkdir(folder, { recursive: true });
  await writeFile(
    path.join(folder, `${path.basename(out, ".safetensors")}-${String(step).padStart(6, "0")}.png`),
    image.png,
  );
}

function report(event: TrainEvent): void {
  if (event.kind === "step") {
    process.stderr.write(
      `step ${event.step}/${event.total}  loss ${event.loss.toFixed(4)}  lr ${event.lr.toExponential(2)}  ${event.secondsPerStep.toFixed(2)} s/step  ${Math.round(event.secondsLeft)} s left\n`,
    );
  } else if (event.kind === "stage" && (event.done === 0 || event.done === event.total)) {
    process.stderr.write(`${event.stage} ${event.done}/${event.total}\n`);
  } else if (event.kind === "warning") {
    process.stderr.write(`warning: ${event.message}\n`);
  } else if (event.kind === "plan") {
    const { dispatches, bytes } = event.plan;
    process.stderr.write(`planned ${dispatches} dispatches a step, ${mebi(bytes.total)} on the GPU\n`);
  }
}

function mebi(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function summary(
  options: TrainOptions,
  settings: TrainingSettings,
  session: NodeSession,
  { images, refused }: ReadImages,
  outcome: TrainOutcome,
) {
  const { status, steps, seconds, fixedNoiseLoss, lora } = outcome;
  return {
    out: options.out,
    status,
    steps,
    seconds,
    seconds_per_step: seconds / Math.max(1, steps),
    adapter: session.adapterName,
    images_used: images.length,
    images_refused: refused,
    fixed_noise_loss: fixedNoiseLoss,
    sha256: lora.sha256,
    sshs_model_hash: lora.sshsModelHash,
    peak_memory_bytes: 1024 * process.resourceUsage().maxRSS,
    settings,
  };
}
