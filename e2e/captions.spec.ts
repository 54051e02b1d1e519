/** The caption editor by keyboard: bulk edits with a preview, undo across a reload, patterns that never end (T-A2, T-C5). */
import type { Page } from "@playwright/test";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { examine } from "./examine";
import { picture, pictures } from "./files";
import { expect, test } from "./session";

const caption = (page: Page) => page.getByRole("textbox", { name: "Caption" });

test("T-A2, T-C5: captions are edited, replaced in bulk, undone and redone by keyboard, across reloads", async ({
  page,
  person,
  folder,
}) => {
  await person.addPictures(await pictures(folder, 3));
  const keys = page.keyboard;

  await keys.press("j");
  await expect(caption(page)).toHaveValue("a square number 0, boxy");
  await keys.press("Control+ArrowDown");
  await expect(caption(page)).toHaveValue("a square number 1, boxy");
  await keys.press("c");
  await keys.press("End");
  await keys.type(", typed");
  await expect(page.getByTestId("tokens")).toHaveText(/^\d+ of 75 tokens$/);

  // The last tag moves to the front, then a new one comes from the tags that are here.
  await page.getByRole("button", { name: "typed, 3 of 3" }).focus();
  await keys.press("Alt+ArrowLeft");
  await keys.press("Alt+ArrowLeft");
  await expect(caption(page)).toHaveValue("typed, a square number 1, boxy");
  await page.getByRole("combobox", { name: "Add a tag" }).focus();
  await keys.type("number 2");
  await keys.press("Control+Enter");
  await expect(caption(page)).toHaveValue("typed, a square number 1, boxy, a square number 2");
  await examine(page, "focus view");

  await keys.press("Control+h");
  await keys.type("boxy");
  await keys.press("Tab");
  await keys.type("cubic");
  await expect(page.getByText("3 captions would change")).toBeVisible();
  await expect(page.getByRole("list", { name: "Preview of every change" }).getByRole("listitem")).toHaveCount(
    3,
  );
  await examine(page, "bulk edit");
  await keys.press("Enter");
  await expect(caption(page)).toHaveValue("typed, a square number 1, cubic, a square number 2");

  await page.reload();
  await expect(page.getByRole("button", { name: 'Undo: Replace "boxy"' })).toBeVisible();
  await keys.press("Control+z");
  await expect(page.getByRole("button", { name: /p0\.png: a square number 0, boxy/ })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: /p2\.png: a square number 2, boxy/ })).toBeVisible();
  await keys.press("Control+Shift+z");
  await expect(page.getByRole("button", { name: /p2\.png: a square number 2, cubic/ })).toBeVisible();

  await keys.press("/");
  await keys.type("tag:cubic -tag:typed name:p2");
  await expect(page.getByRole("grid", { name: "Pictures" })).toHaveAttribute("data-count", "1");
  await keys.press("Escape");
  await keys.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
});

test("a pattern that would never end is stopped, and the page goes on", async ({ page, person, folder }) => {
  await picture(path.join(folder, "p.png"), 40);
  writeFileSync(path.join(folder, "p.txt"), `${"a".repeat(60)}!`);
  await person.visit("dataset");
  await page
    .locator('input[type="file"][multiple]')
    .first()
    .setInputFiles(["p.png", "p.txt"].map((f) => path.join(folder, f)));
  await page.getByRole("button", { name: "Edit captions" }).click();
  await page.getByRole("combobox", { name: /^What to do/ }).click();
  await page.getByRole("option", { name: /regex/ }).click();
  await page.getByRole("textbox", { name: "Find" }).fill("^(a+)+$");
  await expect(page.getByText("This pattern takes too long")).toBeVisible();
  await page.getByRole("textbox", { name: "Find" }).fill("a{10}");
  await page.getByLabel("Replace with").fill("b");
  await expect(page.getByText("1 caption would change")).toBeVisible();
});

test("datasets are made, duplicated, renamed and deleted, and one deleted by mistake comes back", async ({
  page,
  person,
  folder,
}) => {
  await person.addPictures(await pictures(folder, 2));
  const menu = page.getByRole("button", { name: /^Dataset: / });
  const choose = async (item: string): Promise<void> => {
    await menu.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: item }).press("Enter");
  };
  await choose("Duplicate");
  await expect(menu).toHaveAccessibleName("Dataset: My dataset copy");
  await page.getByLabel("Trigger word").fill("twin");
  await choose("Rename");
  await page.getByLabel("Name", { exact: true }).fill("Twin");
  await page.keyboard.press("Enter");
  await expect(menu).toHaveAccessibleName("Dataset: Twin");
  await choose("Delete dataset");
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await expect(menu).toHaveAccessibleName("Dataset: My dataset");
  await expect(page.getByLabel("Trigger word")).toHaveValue("");
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(menu).toHaveAccessibleName("Dataset: Twin");
  await page.reload();
  await expect(menu).toHaveAccessibleName("Dataset: Twin");
  await expect(page.getByLabel("Trigger word")).toHaveValue("twin");
  await choose("New dataset");
  await expect(page.getByText("Drop 15 to 100 pictures here")).toBeVisible();
  await choose("My dataset");
  await expect(page.getByText("2 pictures · 2 captioned")).toBeVisible();
});
