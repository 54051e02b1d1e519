/** Captioning as a person does it: with what ships, with ONNX files of one's own, with a hub that breaks off. */
import path from "node:path";
import type { Page } from "@playwright/test";
import { writeSmallModels } from "../tools/captioner/files";
import { onnxPadding, tinyTagger } from "../tools/captioner/tinyTagger";
import type { StandIn } from "../tools/lib/hubServer";
import { captionOf, chooseFiles, colours, openDialog, pick } from "./captioning";
import { examine } from "./examine";
import { hubStandIn } from "./hubRoutes";
import { expect, test } from "./session";

test("own files: tagger, describers and interrogator; undo takes a captioning back", async ({
  page,
  person,
  folder,
}) => {
  const models = writeSmallModels(path.join(folder, "models"), 4);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await person.addPictures(await colours(folder));
  await page.getByLabel("Trigger word").fill("inkwash");
  const captionAll = () => page.getByRole("button", { name: "Caption 3 pictures", exact: true }).click();

  await openDialog(page, "WD tagger");
  await chooseFiles(page, models.tagger);
  await page.getByRole("button", { name: "Try on this picture" }).click();
  await expect(page.getByRole("button", { name: "Use this caption" })).toBeVisible();
  await examine(page, "the caption dialog with a trial");
  await captionAll();
  // The style preset leaves pixel_art out; the trigger word comes first.
  await expect(captionOf(page, "red.png")).toHaveText("inkwash, red theme, ^_^, weft (mascot)");
  await expect(captionOf(page, "blue.png")).toHaveText("inkwash, blue theme, ^_^, weft (mascot)");
  await page.keyboard.press("Control+z");
  await expect(captionOf(page, "red.png")).toHaveText("No caption");
  await expect(captionOf(page, "blue.png")).toHaveText("No caption");

  await openDialog(page, "Florence-2");
  await chooseFiles(page, models.florence);
  await captionAll();
  await expect(captionOf(page, "green.png")).toHaveText("inkwash, a green picture");
  await expect(captionOf(page, "blue.png")).toHaveText("inkwash, a blue picture");

  // This one is told what to leave out: it calls its pictures paintings otherwise.
  await openDialog(page, "SmolVLM");
  await chooseFiles(page, models.smolVlm);
  await pick(page, "A caption that is there", "Replace it");
  await captionAll();
  await expect(captionOf(page, "blue.png")).toHaveText("inkwash, a blue picture");
  await openDialog(page, "SmolVLM");
  await pick(page, "The LoRA learns", "Nothing: I want prompts");
  await captionAll();
  await expect(captionOf(page, "green.png")).toHaveText("inkwash, a green painting");
  await expect(captionOf(page, "red.png")).toHaveText("inkwash, a red painting");

  await openDialog(page, "CLIP Interrogator");
  await chooseFiles(page, models.clip);
  await captionAll();
  await expect(captionOf(page, "red.png")).toContainText("inkwash, a red painting, ", { timeout: 60_000 });

  const outside = requests.filter((url) => !url.startsWith("http://localhost") && !/^(blob|data):/.test(url));
  expect(outside, "nothing is asked of anybody else").toEqual([]);
});

test("files that are no model are refused in words, and are not kept", async ({ page, person, folder }) => {
  await person.addPictures(await colours(folder));
  await openDialog(page, "WD tagger");
  await pick(page, "From", /disk|chose/);
  const dialog = page.getByRole("dialog", { name: "Caption pictures" });
  await dialog.locator("input[webkitdirectory]").setInputFiles(path.join(folder, "colours"));
  await expect(page.getByText('The model has no file "selected_tags.csv"')).toBeVisible();
  await expect(dialog.getByText(/in this browser\.$/)).toHaveCount(0);
});

test("settings are each dataset's own, and are there after a reload", async ({ page, person, folder }) => {
  await person.addPictures(await colours(folder));
  const threshold = page.getByLabel("Threshold", { exact: true });
  const settings = page.getByRole("button", { name: /^Settings of / });
  await openDialog(page, "WD tagger");
  await pick(page, "Model", /^SwinV2/);
  await pick(page, "The LoRA learns", "A character");
  await settings.click();
  await threshold.fill("0.6");
  await threshold.press("Tab");
  await openList(page);
  await page.keyboard.press("Escape");

  await page.reload();
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await expect(page.getByRole("radio", { name: /^WD tagger/ })).toBeChecked();
  await expect(page.getByRole("combobox", { name: /^Model: SwinV2/ })).toBeVisible();
  await expect(page.getByRole("combobox", { name: "The LoRA learns: A character" })).toBeVisible();
  await settings.click();
  await expect(threshold).toHaveValue("0.6");
  await page.keyboard.press("Escape");

  // Another dataset begins with them, and goes its own way.
  const menu = page.getByRole("button", { name: /^Dataset: / });
  await menu.click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await expect(menu).toHaveAccessibleName("Dataset: My dataset copy");
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await expect(page.getByRole("radio", { name: /^WD tagger/ })).toBeChecked();
  await page.getByRole("radio", { name: /^CLIP Interrogator/ }).click();
  await page.getByRole("button", { name: /^Settings of / }).click();
  await expect(page.getByRole("textbox", { name: "Flavors, one phrase a line" })).toHaveValue(
    "inky\nwashed out",
  );
  await page.getByRole("button", { name: "Back to Weft's list" }).click();
  await page.keyboard.press("Escape");
  await menu.click();
  await page.getByRole("menuitem", { name: "My dataset", exact: true }).click();
  await expect(menu).toHaveAccessibleName("Dataset: My dataset");
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await expect(page.getByRole("radio", { name: /^WD tagger/ })).toBeChecked();
  await page.getByRole("radio", { name: /^CLIP Interrogator/ }).click();
  await settings.click();
  await expect(page.getByRole("textbox", { name: "Flavors, one phrase a line" })).toHaveValue(
    "inky\nwashed out",
  );
});

async function openList(page: Page): Promise<void> {
  await page.getByRole("radio", { name: /^CLIP Interrogator/ }).click();
  const list = page.getByRole("textbox", { name: "Flavors, one phrase a line" });
  await expect(list).not.toHaveValue("");
  await list.fill("inky\nwashed out");
  await list.press("Tab");
  await expect(page.getByRole("button", { name: "Back to Weft's list" })).toBeVisible();
  await page.getByRole("radio", { name: /^WD tagger/ }).click();
}

test("a download that broke off goes on after a reload where it stopped", async ({
  page,
  person,
  folder,
  complaints,
}) => {
  // Three parts of a request each.
  const { model, tags } = tinyTagger(onnxPadding);
  let isCut = true;
  const hub: StandIn = await hubStandIn(page, {
    repo: "SmilingWolf/wd-vit-tagger-v3",
    files: new Map([
      ["model.onnx", model],
      ["selected_tags.csv", new TextEncoder().encode(tags)],
    ]),
    fault: () => (isCut && hub.sent > 5e6 ? "disconnect" : undefined),
  });
  await person.addPictures(await colours(folder));
  await openDialog(page, "WD tagger");
  const dialog = page.getByRole("dialog", { name: "Caption pictures" });
  await page.getByRole("button", { name: "Try on this picture" }).click();
  await expect(page.getByText("The connection to huggingface.co was lost")).toBeVisible({ timeout: 60_000 });
  complaints.length = 0;

  await page.reload();
  isCut = false;
  const before = hub.sent;
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await expect(dialog.getByText(/The download was interrupted\. It goes on from 8/)).toBeVisible();
  await page.getByRole("button", { name: "Caption 3 pictures", exact: true }).click();
  await expect(captionOf(page, "red.png")).toContainText("red theme");
  expect(hub.sent - before).toBeLessThan(model.length / 2);
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await expect(page.getByRole("radio", { name: /^WD tagger: .* In this browser$/ })).toBeVisible();
  await hub.close();
});
