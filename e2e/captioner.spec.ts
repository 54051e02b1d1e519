/** Captioning as a person does it: with what ships, and with ONNX files of one's own. No model is fetched from anywhere. */
import AxeBuilder from "@axe-core/playwright";
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import sharp from "sharp";
import { writeSmallModels } from "../tools/captioner/files";
import { expect, test } from "./session";

async function colours(folder: string): Promise<string> {
  const place = path.join(folder, "colours");
  mkdirSync(place, { recursive: true });
  const background = { red: "#d01818", green: "#18c018", blue: "#1818d0" };
  for (const [name, colour] of Object.entries(background))
    await sharp({ create: { width: 80, height: 60, channels: 3, background: colour } }).toFile(
      path.join(place, `${name}.png`),
    );
  return place;
}

const captionOf = (page: Page, name: string) =>
  page.getByRole("button", { name: `colours/${name}: ` }).locator(".caption");

async function openDialog(page: Page, captioner: string): Promise<void> {
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await page.getByRole("radio", { name: new RegExp(`^${captioner}: `) }).click();
}

async function chooseFiles(page: Page, captioner: string, folder: string): Promise<void> {
  await page.getByRole("combobox", { name: /^From: / }).click();
  await page.getByRole("option", { name: /disk|chose/ }).click();
  await page.locator(".caption-dialog input[webkitdirectory]").setInputFiles(folder);
  await expect(page.getByText(`${captioner} is ready`)).toBeVisible();
}

test("own files: tagger, describer and interrogator; undo takes a captioning back", async ({
  page,
  person,
  folder,
}) => {
  const models = writeSmallModels(path.join(folder, "models"), 4);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await person.addPictures(await colours(folder));
  await page.getByLabel("Trigger word").fill("inkwash");

  await openDialog(page, "WD tagger");
  await chooseFiles(page, "WD tagger", models.tagger);
  await page.getByRole("button", { name: "Try on this picture" }).click();
  await expect(page.getByRole("button", { name: "Use this caption" })).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`)).toEqual(
    [],
  );
  await page.getByRole("button", { name: "Caption 3 pictures", exact: true }).click();
  // The style preset leaves pixel_art out; the trigger word comes first.
  await expect(captionOf(page, "red.png")).toHaveText("inkwash, red theme, ^_^, weft (mascot)");
  await expect(captionOf(page, "blue.png")).toHaveText("inkwash, blue theme, ^_^, weft (mascot)");
  await page.keyboard.press("Control+z");
  await expect(captionOf(page, "red.png")).toHaveText("No caption");
  await expect(captionOf(page, "blue.png")).toHaveText("No caption");

  await openDialog(page, "Florence-2");
  await chooseFiles(page, "Florence-2", models.florence);
  await page.getByRole("button", { name: "Caption 3 pictures", exact: true }).click();
  await expect(captionOf(page, "green.png")).toHaveText("inkwash, a green picture");
  await expect(captionOf(page, "blue.png")).toHaveText("inkwash, a blue picture");

  await openDialog(page, "CLIP Interrogator");
  await chooseFiles(page, "CLIP Interrogator", models.clip);
  await page.getByRole("combobox", { name: /^The LoRA learns: / }).click();
  await page.getByRole("option", { name: "Nothing: I want prompts" }).click();
  await page.getByRole("combobox", { name: /^A caption that is there: / }).click();
  await page.getByRole("option", { name: "Replace it" }).click();
  await page.getByRole("button", { name: "Caption 3 pictures", exact: true }).click();
  await expect(captionOf(page, "red.png")).toContainText("inkwash, a red picture, ", { timeout: 60_000 });

  const outside = requests.filter((url) => !url.startsWith("http://localhost") && !/^(blob|data):/.test(url));
  expect(outside, "nothing is asked of anybody else").toEqual([]);
});
