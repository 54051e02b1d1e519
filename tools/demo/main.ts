/**
 * `npm run demo`: drives the real app in Chromium as a person would, from pictures to a downloaded LoRA, and leaves
 * what came out in a folder (docs: DESIGN §7).
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { chromium } from "playwright";
import { preview } from "vite";
import { launchOptions } from "../../e2e/launch";
import { ensureBrowser } from "../bootstrap/browser";
import { buildIfStale } from "../bootstrap/build";
import { root, say } from "../lib/process";
import { runDemo, type DemoOptions } from "./journey";

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`"${text}" is not a whole number`);
  return value;
}

function readOptions(): DemoOptions {
  const command = new Command("demo")
    .description("Trains a LoRA in the real app and keeps the results")
    .requiredOption("--out <dir>", "folder for the results; made when missing")
    .option("--images <dir>", "folder of pictures with .txt captions (default: the sample dataset)")
    .option("--model <file>", "a .safetensors checkpoint (default: the built-in Mini)")
    .option("--steps <n>", "training steps (default: the preset's)", whole)
    .option("--size <px>", "training and picture size (default: the model's own)", whole)
    .option("--prompt <text>", "what before.png and after.png show (default: the first caption)")
    .option("--seed <n>", "seed of training and pictures", whole, 42);
  const { out, ...rest } = command.parse().opts<DemoOptions>();
  return { ...rest, out: path.resolve(out) };
}

const options = readOptions();
mkdirSync(options.out, { recursive: true });
ensureBrowser();
await buildIfStale();
const server = await preview({ root, logLevel: "warn", preview: { port: 0, open: false } });
const browser = await chromium.launch(launchOptions());
try {
  const address = server.resolvedUrls?.local[0] ?? "";
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(address);
  await runDemo(page, options);
  say(`results are in ${options.out}`);
} finally {
  await browser.close();
  await server.close();
}
