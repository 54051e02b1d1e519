/** A dataset as a person makes it: dropped as a folder and a zip, examined, fixed, taken back, cropped, and out again. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Download } from "@playwright/test";
import { BlobReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import { filesIn, kohyaFolder, write, zipOf } from "../tools/fixtures/datasets";
import { scene } from "../tools/fixtures/pictures";
import { expect, test } from "./session";

async function unzipped(download: Download): Promise<Map<string, Buffer>> {
  const reader = new ZipReader(new BlobReader(new Blob([readFileSync(await download.path())])));
  const files = new Map<string, Buffer>();
  for (const entry of await reader.getEntries())
    if (!entry.directory) files.set(entry.filename, Buffer.from(await entry.getData(new Uint8ArrayWriter())));
  return files;
}

test("kohya folder and zip in, doctor, undo, crop, the same bytes out", async ({ page, person, folder }) => {
  const original = path.join(folder, "original");
  await kohyaFolder(original);
  // The last folder comes as a zip, its captions in a metadata file.
  const zipped = [
    ["3_dog/wide.png", await scene(7, 700, 200).png().toBuffer()],
    ["3_dog/twin.jpg", await scene(7, 350, 100).jpeg().toBuffer()],
    ["metadata.jsonl", Buffer.from('{"file_name": "3_dog/wide.png", "text": "a very long dog"}\n')],
    ["../escape.txt", Buffer.from("nobody's caption")],
  ] as const satisfies [string, Buffer][];
  writeFileSync(path.join(folder, "more.zip"), await zipOf(zipped.map(([name, content]) => [name, content])));

  const { used } = await person.addPictures(original);
  expect(used).toBe(6);
  await page
    .locator('input[type="file"]:not([webkitdirectory])')
    .first()
    .setInputFiles(path.join(folder, "more.zip"));
  const grid = page.getByRole("grid", { name: "Pictures" });
  await expect(grid).toHaveAttribute("data-count", "8");
  await expect(page.locator("[data-refused]")).toHaveText(
    "escape.txt is a caption without a picture of the same name.",
  );

  // The doctor finds the copy, leaves the better one and takes it back.
  const twins = page.locator('[data-finding="near-duplicates"]');
  await twins.locator("summary").click();
  await twins.getByRole("button", { name: "Keep the better of each" }).click();
  await expect(grid).toHaveAttribute("data-count", "7");
  await expect(page.getByRole("button", { name: /twin\.jpg/ })).toHaveCount(0);
  await page.keyboard.press("Control+z");
  await expect(grid).toHaveAttribute("data-count", "8");

  // A crop moved by keyboard stays, also across a reload.
  await page
    .getByRole("button", { name: /wide\.png/ })
    .last()
    .click();
  await expect(page.getByRole("textbox", { name: "Caption" })).toHaveValue("a very long dog");
  const crop = page.getByRole("button", { name: /^Crop:/ });
  const left = (): Promise<string> => crop.evaluate((node) => node.style.left);
  const before = await left();
  await crop.focus();
  await page.keyboard.press("ArrowLeft");
  await expect.poll(left).not.toBe(before);
  await page.getByRole("button", { name: "Left", exact: true }).click();
  await expect.poll(left).toBe("0%");
  await page.waitForTimeout(300);
  await page.reload();
  await page
    .getByRole("button", { name: /wide\.png/ })
    .last()
    .click();
  await expect.poll(left).toBe("0%");

  await page.getByRole("button", { name: "Export", exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download zip" }).click(),
  ]);
  const files = await unzipped(download);
  for (const [name, content] of filesIn(original))
    expect(files.get(`img/${name}`)?.equals(content), name).toBe(true);
  expect(files.get("img/3_dog/wide.txt")?.toString()).toBe("a very long dog");
  expect(files.has("img/3_dog/twin.jpg")).toBe(true);
  expect(files.get("dataset.toml")?.toString()).toContain('image_dir = "img/10_ink style"');
  expect([...files.keys()].filter((name) => name.includes("escape"))).toEqual([]);
});

test("the grid is a grid for the keyboard, and only what is near the screen is in the page", async ({
  page,
  person,
  folder,
}) => {
  const place = path.join(folder, "many");
  const picture = await scene(1, 32, 32).png().toBuffer();
  for (let index = 0; index < 200; index++)
    write(place, `p${index}.png`, Buffer.concat([picture, Buffer.from([index])]));
  const { used } = await person.addPictures(place);
  expect(used).toBe(200);
  const cards = page.getByRole("gridcell").getByRole("button");
  expect(await cards.count()).toBeLessThan(120);
  await cards.first().focus();
  await page.keyboard.press("End");
  await expect(page.getByRole("button", { name: /p199\.png/ })).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("complementary", { name: "p198.png" })).toBeVisible();
  await page.keyboard.press("Home");
  await expect(page.getByRole("button", { name: /p0\.png/ })).toBeFocused();
});
