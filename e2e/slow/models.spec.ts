/** Full-size checkpoints: a killed tab, two tabs at once (T-C5, T-C9). */
import { execFileSync } from "node:child_process";
import path from "node:path";
import type { Page } from "@playwright/test";
import { firstWeights } from "../openingTime";
import { expect, test } from "../session";

const patience = 20 * 60_000;

/** Stable Diffusion 1.5 in its real size, with random weights: 2.1 GB. */
function fullSize(folder: string): string {
  const file = path.join(folder, "sd15-random.safetensors");
  const root = path.resolve(import.meta.dirname, "../..");
  execFileSync("node", ["tools/run.mjs", "tools/full-size/main.ts", "--out", file], { cwd: root });
  return file;
}

async function pick(page: Page, file: string): Promise<void> {
  await page.locator('input[accept*=".safetensors"]').setInputFiles(file);
}

const kept = (page: Page, state: string) => page.locator(`[data-testid="kept-model"][data-state="${state}"]`);

test("T-C5, T-C9: a tab killed in the middle of 2 GB, then two tabs that import the same file", async ({
  page,
  context,
  person,
  folder,
}) => {
  const file = fullSize(folder);
  await person.openModel(undefined);
  await pick(page, file);
  await expect(page.getByTestId("import-pace")).toContainText(/^[3-9]\d\d(\.\d)? MB of/, {
    timeout: patience,
  });
  await page.goto("chrome://crash").catch(() => undefined);

  const [one, two] = [await context.newPage(), await context.newPage()];
  for (const tab of [one, two]) {
    await tab.goto("/");
    await expect(tab.getByRole("link", { name: "Next: add pictures" })).toBeVisible({ timeout: patience });
  }
  await expect(kept(one, "partial")).toContainText("Import interrupted at");
  await expect(kept(one, "complete")).toHaveCount(0);

  await pick(one, file);
  await expect(one.getByTestId("import-pace")).toContainText("were here already", { timeout: patience });
  await pick(two, file);
  await expect(two.getByText("Another tab is importing this model.")).toBeVisible({ timeout: patience });
  for (const tab of [one, two])
    await expect(tab.getByRole("heading", { name: "About sd15-random.safetensors" })).toBeVisible({
      timeout: patience,
    });
  await expect(kept(one, "complete")).toHaveCount(1);

  await one.reload();
  await expect(one.getByRole("heading", { name: "About sd15-random.safetensors" })).toBeVisible();
  const { asked, loaded } = await firstWeights(one);
  const figure = `${asked} ms from asking to the first weights, ${loaded} ms from loading the page`;
  test.info().annotations.push({ type: "second start", description: figure });
  console.log(`second start: ${figure}`);
  expect(asked).toBeLessThan(1000);
});
