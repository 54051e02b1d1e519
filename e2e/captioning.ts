/** The caption dialog as a person uses it, and what comes out of a dataset in the end. */
import { BlobReader, TextWriter, ZipReader } from "@zip.js/zip.js";
import { expect, type Page } from "@playwright/test";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";

/** Three pictures of one colour each. @returns their folder */
export async function colours(folder: string): Promise<string> {
  const place = path.join(folder, "colours");
  mkdirSync(place, { recursive: true });
  for (const [name, background] of Object.entries({ red: "#d01818", green: "#18c018", blue: "#1818d0" }))
    await sharp({ create: { width: 80, height: 60, channels: 3, background } }).toFile(
      path.join(place, `${name}.png`),
    );
  return place;
}

export const captionOf = (page: Page, name: string) =>
  page.getByRole("button", { name: `colours/${name}: ` }).locator(".caption");

export async function chooseCaptioner(page: Page, captioner: string): Promise<void> {
  await page.getByRole("radio", { name: new RegExp(`^${captioner}: `) }).click();
}

export async function openDialog(page: Page, captioner: string): Promise<void> {
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await chooseCaptioner(page, captioner);
}

/** Picks a select's option in the dialog. */
export async function pick(page: Page, label: string, option: string | RegExp): Promise<void> {
  await page.getByRole("combobox", { name: new RegExp(`^${label}: `) }).click();
  await page.getByRole("option", { name: option }).click();
}

/** Chooses a model's folder for the captioner that is chosen, which has none yet, and waits until that model is ready. */
export async function chooseFiles(page: Page, folder: string): Promise<void> {
  await pick(page, "From", /disk|chose/);
  const dialog = page.getByRole("dialog", { name: "Caption pictures" });
  await expect(dialog.getByText(/^Ready: /)).toHaveCount(0);
  await dialog.locator("input[webkitdirectory]").setInputFiles(folder);
  await expect(dialog.getByText(/^Ready: .* in this browser/)).toBeVisible();
}

/** Exports the dataset. @returns the text files by their paths, and how many pictures there are */
export async function exported(page: Page): Promise<{ texts: Map<string, string>; pictures: number }> {
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download zip" }).click(),
  ]);
  const zip = new ZipReader(new BlobReader(new Blob([readFileSync(await download.path())])));
  const texts = new Map<string, string>();
  let pictures = 0;
  for (const entry of await zip.getEntries()) {
    if (entry.directory) continue;
    if (entry.filename.endsWith(".txt")) texts.set(entry.filename, await entry.getData(new TextWriter()));
    if (/\.(png|jpg|webp)$/.test(entry.filename)) pictures++;
  }
  return { texts, pictures };
}
