/** The demo's way through the five rooms. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "playwright";
import { say } from "../lib/process";
import { Person, type Refused } from "./person";

export interface DemoOptions {
  out: string;
  images?: string;
  model?: string;
  steps?: number;
  size?: number;
  prompt?: string;
  seed: number;
}

/** What `summary.json` holds. */
interface Summary {
  steps: number;
  seconds_per_step: number;
  adapter: string;
  model: string;
  lora_name: string;
  prompt: string;
  seed: number;
  images_used: number;
  images_refused: Refused[];
  fixed_noise_loss: { before: number; after: number };
  sha256: Record<string, string>;
}

const results = ["lora.safetensors", "before.png", "after.png", "loss.csv"] as const;

export async function runDemo(page: Page, options: DemoOptions): Promise<Summary> {
  const person = new Person(page, options.out);
  const model = await person.openModel(options.model);
  await person.screenshot("model");
  const dataset = await person.addPictures(options.images);
  say(`${dataset.used} pictures in use, ${dataset.refused.length} refused`);
  await person.screenshot("dataset");

  const settings = await person.setUpTraining(options);
  const prompt = options.prompt ?? settings.samplePrompt;
  await person.generate({ prompt, seed: options.seed, size: options.size, file: "before.png" });
  const run = await person.train(say);
  await person.screenshot("train");
  await person.generate({
    prompt: `${prompt} <lora:${settings.name}:1>`,
    seed: options.seed,
    size: options.size,
    file: "after.png",
  });
  await person.screenshot("try");
  await person.visit("share");
  await person.screenshot("share");

  const summary: Summary = {
    steps: run.steps,
    seconds_per_step: medianSeconds(path.join(options.out, "loss.csv")),
    adapter: await person.adapter(),
    model,
    lora_name: settings.name,
    prompt,
    seed: options.seed,
    images_used: dataset.used,
    images_refused: dataset.refused,
    fixed_noise_loss: run.fixedNoiseLoss,
    sha256: Object.fromEntries(results.map((name) => [name, hashOf(path.join(options.out, name))])),
  };
  writeFileSync(path.join(options.out, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

function hashOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** The middle of the last column: the first step, which compiles, does not count for much. */
function medianSeconds(csv: string): number {
  const lines = readFileSync(csv, "utf8").trim().split("\n").slice(1);
  const seconds = lines.map((line) => Number(line.split(",").at(-1))).sort((a, b) => a - b);
  return seconds[Math.floor(seconds.length / 2)] ?? 0;
}
