/** `npm run sample`: one PNG with infotext for every line of a prompts file, by the browser's engine. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { WeftError } from "../../src/base/errors";
import { LoraStack } from "../../src/models/lora/apply";
import { generatePicture } from "../../src/workers/engine/generate";
import { reportingErrors } from "../lib/errors";
import { encodePng, openSession, type NodeSession } from "../lib/session";

interface SampleOptions {
  readonly model: string;
  readonly lora: readonly string[];
  readonly prompts: string;
  readonly out: string;
  readonly negative: string;
  readonly steps: string;
  readonly cfg: string;
  readonly size?: string;
  readonly sampler: string;
  readonly scheduler: string;
  readonly seed: string;
}

interface NamedLora {
  readonly name: string;
  readonly strength: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

await reportingErrors(async () => {
  const options = new Command("sample")
    .requiredOption("--model <file>", "a Stable Diffusion checkpoint (.safetensors)")
    .option(
      "--lora <file:strength>",
      "may be given several times",
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .requiredOption("--prompts <file>", "one prompt per line")
    .requiredOption("--out <dir>")
    .option("--negative <text>", "", "")
    .option("--steps <n>", "", "20")
    .option("--cfg <x>", "", "7")
    .option("--size <px>")
    .option("--sampler <name>", "", "Euler a")
    .option("--scheduler <name>", "", "automatic")
    .option("--seed <n>", "", "42")
    .parse(process.argv)
    .opts<SampleOptions>();
  const loras = await Promise.all(options.lora.map(readLoraOption));
  const prompts = (await readFile(options.prompts, "utf8"))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const session = await openSession(options.model);
  try {
    await mkdir(options.out, { recursive: true });
    const stack = new LoraStack(session.model);
    for (const [index, prompt] of prompts.entries())
      await sample(options, session, stack, loras, prompt, index);
  } finally {
    await session.close();
  }
});
process.exit();

/** `FILE:0.8`; the strength is optional. */
async function readLoraOption(text: string): Promise<NamedLora> {
  const [, file = text, strength = "1"] = /^(.*?)(?::(-?[\d.]+))?$/.exec(text) ?? [];
  try {
    return {
      name: path.basename(file, ".safetensors"),
      strength,
      bytes: new Uint8Array(await readFile(file)),
    };
  } catch {
    throw new WeftError(
      "no-file",
      `The LoRA "${file}" cannot be read.`,
      "Write --lora FILE:STRENGTH, e.g. style.safetensors:0.8.",
    );
  }
}

async function sample(
  options: SampleOptions,
  session: NodeSession,
  stack: LoraStack,
  loras: readonly NamedLora[],
  prompt: string,
  index: number,
): Promise<void> {
  const { model, sha256, tokenizer } = session;
  const size = Number(options.size ?? model.nativeSize);
  const tags = loras.map(({ name, strength }) => ` <lora:${name}:${strength}>`).join("");
  const request = {
    prompt: prompt + tags,
    negativePrompt: options.negative,
    steps: Number(options.steps),
    cfgScale: Number(options.cfg),
    width: size,
    height: size,
    seed: Number(options.seed),
    sampler: options.sampler,
    scheduler: options.scheduler,
    clipSkip: 1,
    loras: loras.map(({ name, bytes }) => ({ name, bytes })),
  };
  const tools = { model, modelHash: sha256, stack, tokenizer, encodePng, onEvent: () => undefined };
  const { png, seconds } = await generatePicture(request, tools);
  const file = path.join(options.out, `${String(index).padStart(4, "0")}.png`);
  await writeFile(file, png);
  process.stderr.write(`${file}  ${seconds.toFixed(1)} s  ${prompt}\n`);
}
