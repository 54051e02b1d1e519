/** The Dataset room as a person goes through it: in, fixed, captioned, edited in bulk, reloaded, out again. */
import { BlobReader, TextWriter, ZipReader } from "@zip.js/zip.js";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { writeSmallModels } from "../tools/captioner/files";
import { expect, test } from "./session";

test("import, doctor, captioner, bulk edit, reload, export", async ({ page, person, folder }) => {
  const models = writeSmallModels(path.join(folder, "models"), 4);
  const place = path.join(folder, "colours");
  mkdirSync(place, { recursive: true });
  for (const [name, background] of Object.entries({ red: "#d01818", green: "#18c018", blue: "#1818d0" }))
    await sharp({ create: { width: 80, height: 60, channels: 3, background } }).toFile(
      path.join(place, `${name}.png`),
    );
  writeFileSync(path.join(place, "broken.png"), "no picture");

  const { used, refused } = await person.addPictures(place);
  expect([used, refused.length]).toEqual([3, 1]);
  await page.getByRole("textbox", { name: "Trigger word" }).fill("inkwash");

  // None has a caption: the doctor's way out is the captioner.
  const doctor = page.getByRole("region", { name: "Doctor" });
  const missing = doctor
    .getByRole("group")
    .filter({ hasText: /without a caption|no caption/i })
    .first();
  await missing.locator("summary").click();
  await missing.getByRole("button", { name: "Caption pictures" }).click();
  await page.getByRole("radio", { name: /^Florence-2: / }).click();
  await page.getByRole("combobox", { name: /^From: / }).click();
  await page.getByRole("option", { name: /disk|chose/ }).click();
  await page.locator(".caption-dialog input[webkitdirectory]").setInputFiles(models.florence);
  await expect(page.getByText("Florence-2 is ready")).toBeVisible();
  await page.getByRole("button", { name: "Caption 3 pictures", exact: true }).click();
  await expect(page.getByText("3 pictures · 3 captioned")).toBeVisible();

  await page.getByRole("button", { name: "Edit captions" }).click();
  await page.keyboard.type("drawing");
  await expect(page.getByText("3 captions would change")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /red\.png: inkwash, a red picture, drawing/ })).toBeVisible();

  await page.reload();
  await page.getByRole("button", { name: /blue\.png: inkwash, a blue picture, drawing/ }).click();
  await expect(
    page.getByRole("region", { name: "Changes from the automatic caption" }).locator("ins"),
  ).toHaveText("drawing");
  await expect(page.getByRole("textbox", { name: "Trigger word" })).toHaveValue("inkwash");

  await page.getByRole("button", { name: "Export", exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download zip" }).click(),
  ]);
  const zip = new ZipReader(new BlobReader(new Blob([readFileSync(await download.path())])));
  const entries = await zip.getEntries();
  const green = entries.find(({ filename }) => filename.endsWith("green.txt"));
  expect(green && !green.directory && (await green.getData(new TextWriter()))).toBe(
    "inkwash, a green picture, drawing",
  );
  expect(entries.filter(({ filename }) => filename.endsWith(".png"))).toHaveLength(3);
});
