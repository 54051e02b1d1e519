/** What a person does in the app, as verbs: found by the words on the screen, done by click and key. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Locator, Page } from "playwright";
import { WeftError } from "../../src/base/errors";

/** Opening a model or drawing a picture on a software adapter. */
const patience = 10 * 60_000;
/** A whole run on a software adapter. */
const runPatience = 6 * 60 * 60_000;
const reportEvery = 15_000;
const lookEvery = 200;

export interface Refused {
  file: string;
  code: string;
  reason: string;
}

export interface PictureWish {
  prompt: string;
  seed: number;
  size: number | undefined;
  /** Where the PNG goes, in the results folder. */
  file: string;
  /** Sampling steps; the form's own when absent. */
  steps?: number;
}

export interface TrainingWish {
  steps?: number;
  size?: number;
  seed: number;
  /** Values for the Advanced list, by the setting's name in Weft. */
  advanced?: Record<string, number | string>;
}

export interface RunResult {
  steps: number;
  fixedNoiseLoss: { before: number; after: number };
}

export class Person {
  #page: Page;
  #out: string;

  constructor(page: Page, out: string) {
    this.#page = page;
    this.#out = out;
  }

  async visit(room: "model" | "dataset" | "train" | "try" | "share"): Promise<void> {
    await this.#page.locator(`nav a.room[href="#/${room}"]`).click();
    await this.#page.getByRole("heading", { level: 1 }).waitFor();
  }

  async screenshot(name: string): Promise<void> {
    await this.#page.screenshot({ path: path.join(this.#out, `room-${name}.png`) });
  }

  adapter(): Promise<string> {
    return this.#page.locator("a.gpu").innerText();
  }

  /** Waits for the built-in model, or opens `file`. @returns the model's title. */
  async openModel(file: string | undefined): Promise<string> {
    await this.visit("model");
    const next = this.#page.getByRole("link", { name: "Next: add pictures" });
    await this.#orAlert(next);
    if (file !== undefined) {
      await this.#page.locator('input[accept*=".safetensors"]').setInputFiles(file);
      await this.#orAlert(this.#page.getByRole("heading", { name: `About ${path.basename(file)}` }));
    }
    const heading = await this.#page.locator("#model-facts").innerText();
    return heading.replace(/^About /, "");
  }

  /** Adds a folder of pictures, or the first sample dataset. */
  async addPictures(folder: string | undefined): Promise<{ used: number; refused: Refused[] }> {
    await this.visit("dataset");
    if (folder === undefined)
      await this.#page.getByRole("button", { name: "Use a sample dataset" }).first().click();
    else await this.#page.locator("input[webkitdirectory]").setInputFiles(folder);
    await this.#page.getByRole("link", { name: "Next: train" }).waitFor({ timeout: patience });
    await this.#page
      .getByRole("region", { name: "Adding pictures" })
      .waitFor({ state: "detached", timeout: patience });
    // Only the cards near the screen are in the page.
    const grid = this.#page.getByRole("grid", { name: "Pictures" });
    const used = (await grid.count()) > 0 ? Number(await grid.getAttribute("data-count")) : 0;
    return { used, refused: await this.#refused() };
  }

  /** Fills in the Train room without starting. */
  async setUpTraining(wish: TrainingWish): Promise<{ name: string; samplePrompt: string }> {
    await this.visit("train");
    if (wish.steps !== undefined) await this.#fill("#steps", String(wish.steps));
    await this.#page.getByRole("button", { name: /^Advanced/ }).click();
    if (wish.size !== undefined) await this.#fill("#field-resolution", String(wish.size));
    await this.#fill("#field-seed", String(wish.seed));
    for (const [key, value] of Object.entries(wish.advanced ?? {}))
      await this.#fill(`#field-${key}`, String(value));
    const samplePrompt = await this.#page.locator("#field-samplePrompt").inputValue();
    return { name: await this.#page.locator("#name").inputValue(), samplePrompt };
  }

  async start(): Promise<void> {
    await this.visit("train");
    await this.#page.getByRole("button", { name: "Start training" }).click();
    await this.#orAlert(this.#page.getByRole("region", { name: "Progress" }));
  }

  /** Waits until the run in progress has done `step` steps. */
  async reachStep(step: number): Promise<void> {
    await this.#reach(step, this.#page.getByTestId("step"), /^(\d+)/);
  }

  /** Waits until the run in progress has a checkpoint of `step` or later. */
  async reachSavedStep(step: number): Promise<void> {
    await this.#reach(step, this.#page.getByText(/^Saved up to step/), /step (\d+)/);
  }

  /** Starts the run that is set up, waits for its end, downloads the LoRA and the loss curve. */
  async train(report: (line: string) => void): Promise<RunResult> {
    await this.start();
    const timer = setInterval(
      () =>
        void this.#page
          .title()
          .then(report)
          .catch(() => undefined),
      reportEvery,
    );
    await this.downloadLora().finally(() => clearInterval(timer));
    await this.#download(this.#page.getByRole("button", { name: "CSV" }), "loss.csv");
    const value = async (testId: string): Promise<number> =>
      Number(await this.#page.getByTestId(testId).getAttribute("data-value"));
    return {
      steps: Number(await this.#page.getByTestId("steps-done").innerText()),
      fixedNoiseLoss: { before: await value("loss-before"), after: await value("loss-after") },
    };
  }

  /** Waits for the end of the run on the screen and downloads its file as `lora.safetensors`. */
  async downloadLora(): Promise<Buffer> {
    const button = this.#page.getByRole("button", { name: "Download LoRA" });
    await this.#orAlert(button, runPatience);
    await this.#download(button, "lora.safetensors");
    return readFileSync(path.join(this.#out, "lora.safetensors"));
  }

  /** Hash over the tensors of the newest LoRA, without its metadata: the short form the Share room shows. */
  async newestWeightsHash(): Promise<string> {
    await this.visit("share");
    const details = this.#page.locator("details").first();
    await details.locator("summary").click();
    return details.getByTestId("autov3").innerText();
  }

  /** Draws a picture in the Try room and keeps it. */
  async generate(wish: PictureWish): Promise<void> {
    await this.visit("try");
    const result = this.#page.getByTestId("result");
    const earlier = (await result.count()) > 0 ? await result.getAttribute("src") : "";
    await this.#fill("#prompt", wish.prompt);
    await this.#fill("#seed", String(wish.seed));
    if (wish.steps !== undefined) await this.#fill("#sampling-steps", String(wish.steps));
    if (wish.size !== undefined) {
      await this.#fill("#width", String(wish.size));
      await this.#fill("#height", String(wish.size));
    }
    await this.#page.getByRole("button", { name: "Generate" }).click();
    const fresh = this.#page.locator(`[data-testid="result"]:not([src="${earlier}"])`);
    await this.#orAlert(fresh);
    await this.#page.getByRole("button", { name: "Generate" }).waitFor();
    await this.#download(this.#page.getByRole("button", { name: "Download the picture" }), wish.file);
  }

  async #fill(selector: string, text: string): Promise<void> {
    const field = this.#page.locator(selector);
    await field.fill(text);
    await field.blur();
  }

  async #download(button: Locator, file: string): Promise<void> {
    const [download] = await Promise.all([this.#page.waitForEvent("download"), button.click()]);
    await download.saveAs(path.join(this.#out, file));
  }

  async #reach(step: number, where: Locator, pattern: RegExp): Promise<void> {
    const deadline = Date.now() + runPatience;
    while (Date.now() < deadline) {
      await this.#orAlert(where);
      const shown = Number(pattern.exec(await where.innerText())?.[1] ?? 0);
      if (shown >= step) return;
      await this.#page.waitForTimeout(lookEvery);
    }
    throw new WeftError("demo-timeout", `The run did not reach step ${step} in time.`);
  }

  async #refused(): Promise<Refused[]> {
    const items = await this.#page.locator("[data-refused]").all();
    return Promise.all(
      items.map(async (item) => ({
        file: await item.locator(".name").innerText(),
        code: (await item.getAttribute("data-refused")) ?? "",
        reason: await item.locator(".reason").innerText(),
      })),
    );
  }

  /** Waits for `wanted`; when the app shows an error instead, throws its words. */
  async #orAlert(wanted: Locator, timeout = patience): Promise<void> {
    const alert = this.#page.locator('[role="alert"], [data-sonner-toast][data-type="error"]').first();
    await wanted.first().or(alert).first().waitFor({ timeout });
    if (!(await wanted.first().isVisible()) && (await alert.isVisible())) {
      await this.#page.screenshot({ path: path.join(this.#out, "error.png") });
      throw new WeftError(
        "demo-failed",
        `The app says: ${(await alert.innerText()).replace(/\s+/g, " ")}`,
        "error.png shows the screen.",
      );
    }
  }
}
