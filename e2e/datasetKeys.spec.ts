/** The Dataset room by keyboard, and what a machine can tell of its accessibility with every panel open (T-A1, T-A2). */
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import path from "node:path";
import sharp from "sharp";
import { write } from "../tools/fixtures/datasets";
import { scene } from "../tools/fixtures/pictures";
import { expect, test } from "./session";

const standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Three pictures: one is transparent, one has a caption, two are alike. */
async function pictures(folder: string): Promise<string> {
  const place = path.join(folder, "set");
  const hole = Buffer.from(`<svg width="96" height="64"><circle cx="48" cy="32" r="20"/></svg>`);
  const whole = scene(1, 96, 64).ensureAlpha();
  write(
    place,
    "a.png",
    await sharp(await whole.png().toBuffer())
      .composite([{ input: hole, blend: "dest-out" }])
      .png()
      .toBuffer(),
  );
  write(place, "b.png", await scene(2, 96, 64).png().toBuffer());
  write(place, "c.png", await scene(2, 96, 64).jpeg().toBuffer());
  write(place, "b.txt", "two shapes, wall");
  return place;
}

async function expectNoFault(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(standards).analyze();
  const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  expect(faults, where).toEqual([]);
}

test("T-A2: F2 renames, Delete removes, Ctrl Z brings back", async ({ page, person, folder }) => {
  await person.addPictures(await pictures(folder));
  const grid = page.getByRole("grid", { name: "Pictures" });
  await page.keyboard.press("F2");
  await expect(page.getByRole("dialog", { name: "Rename the dataset" })).toBeVisible();
  await page.keyboard.type("Ink");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Dataset: Ink" })).toBeVisible();

  await page
    .getByRole("gridcell", { name: /b\.png/ })
    .getByRole("button")
    .press("Enter");
  await page.keyboard.press("F2");
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("b");
  await page.keyboard.type("beach");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("gridcell", { name: /set\/beach\.png/ })).toBeVisible();

  await page
    .getByRole("gridcell", { name: /beach\.png/ })
    .getByRole("button")
    .press("Delete");
  await expect(grid).toHaveAttribute("data-count", "2");
  await page.keyboard.press("Control+z");
  await expect(grid).toHaveAttribute("data-count", "3");
  await page.keyboard.press("Escape");
  for (const name of [/a\.png/, /c\.png/])
    await page
      .getByRole("gridcell", { name })
      .getByRole("button")
      .click({ modifiers: ["Control"] });
  await page.keyboard.press("Delete");
  await expect(grid).toHaveAttribute("data-count", "1");

  // In a text field the key deletes letters.
  await page.getByRole("searchbox", { name: /Filter/ }).fill("beach");
  await page.keyboard.press("Delete");
  await expect(grid).toHaveAttribute("data-count", "1");
  await page.reload();
  await expect(page.getByRole("gridcell", { name: /set\/beach\.png: two shapes/ })).toHaveCount(1);
});

for (const colorScheme of ["light", "dark"] as const)
  test(`T-A1: no fault with doctor, sizes, crop and export open, ${colorScheme}`, async ({
    page,
    person,
    folder,
  }) => {
    await page.emulateMedia({ colorScheme });
    await person.addPictures(await pictures(folder));
    const doctor = page.getByRole("region", { name: "Doctor" });
    await doctor.locator("summary").first().waitFor();
    for (const summary of await doctor.locator("summary").all()) await summary.click();
    await page.getByText("Training sizes").click();
    await page.getByLabel("Transparent parts").selectOption({ label: "leave out" });
    await page
      .getByRole("gridcell", { name: /b\.png/ })
      .getByRole("button")
      .click();
    await page.getByRole("textbox", { name: "Caption" }).waitFor();
    await expectNoFault(page, "panels");
    await page.getByRole("button", { name: "Export", exact: true }).click();
    await page.getByRole("button", { name: "Download zip" }).waitFor();
    await expectNoFault(page, "export");
    await page.keyboard.press("Escape");
    await page.keyboard.press("F2");
    await page.getByRole("dialog", { name: "Rename the picture" }).waitFor();
    await expectNoFault(page, "rename");
    await page.keyboard.press("Escape");
    await page.reload();
    await page.getByText("Training sizes").click();
    await expect(page.getByLabel("Transparent parts")).toHaveValue("mask");
    const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(width).toBeLessThanOrEqual(0);
    await page.screenshot({ path: path.join(folder, "sizes.png") });
  });
