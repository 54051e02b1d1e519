/** The whole way of a caption by keyboard: nothing here is clicked, and nothing gets the focus but by keys. */
import { expect, test } from "./session";
import type { Locator, Page } from "@playwright/test";
import { examine } from "./examine";
import { pictures } from "./files";

/** Tabs until `target` has the focus. */
async function tabTo(page: Page, target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  await expect(target, "Tab reaches it").toBeFocused();
}

test("grid, focus view, chips, captioner, bulk edit, find by tag and undo, by keys alone", async ({
  page,
  person,
  folder,
}) => {
  await person.addPictures(await pictures(folder, 4));
  const keys = page.keyboard;
  const card = (name: string) => page.getByRole("button", { name: new RegExp(`${name}\\.png: `) });
  const caption = page.getByRole("textbox", { name: "Caption" });
  const view = page.getByRole("complementary");

  // The grid: one stop for Tab, arrows inside, Enter opens.
  await tabTo(page, card("p0"));
  await keys.press("ArrowRight");
  await expect(card("p1")).toBeFocused();
  await keys.press("Enter");
  await expect(caption).toHaveValue("a square number 1, boxy");
  await examine(page, "focus view");
  await keys.press("Space");
  await expect(page.getByRole("dialog").getByRole("img")).toBeVisible();
  await examine(page, "full size");
  await keys.press("Escape");
  await keys.press("j");
  await expect(caption).toHaveValue("a square number 2, boxy");
  await keys.press("k");
  await expect(caption).toHaveValue("a square number 1, boxy");

  // The view's own buttons, then the caption, the chips and the adder.
  await tabTo(page, view.getByRole("button", { name: "Next picture" }));
  await keys.press("Enter");
  await expect(caption).toHaveValue("a square number 2, boxy");
  await tabTo(page, caption);
  await keys.press("End");
  await keys.type(", typed");
  const chip = (name: string) => view.getByRole("button", { name, exact: true });
  await tabTo(page, chip("a square number 2, 1 of 3"));
  await keys.press("ArrowRight");
  await keys.press("ArrowRight");
  await expect(chip("typed, 3 of 3")).toBeFocused();
  await keys.press("Alt+ArrowLeft");
  await keys.press("Alt+ArrowLeft");
  await expect(caption).toHaveValue("typed, a square number 2, boxy");
  await expect(chip("typed, 1 of 3")).toBeFocused();
  await keys.press("End");
  await keys.press("Delete");
  await expect(caption).toHaveValue("typed, a square number 2");
  // The tag went, not the picture.
  await expect(page.getByRole("grid", { name: "Pictures" })).toHaveAttribute("data-count", "4");
  await tabTo(page, view.getByRole("combobox", { name: "Add a tag" }));
  await keys.type("box");
  await examine(page, "suggestions");
  await keys.press("ArrowDown");
  await keys.press("Enter");
  await expect(caption).toHaveValue("typed, a square number 2, boxy");
  await keys.press("Escape");
  await keys.press("Escape");
  // Back in the grid, at the card that was open.
  await expect(view).toHaveCount(0);
  await keys.press("ArrowLeft");
  await expect(card("p1")).toBeFocused();

  // A captioner: chosen by arrows, tried, its caption taken.
  await tabTo(page, page.getByRole("button", { name: "Caption pictures" }), "Shift+Tab");
  await keys.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Caption pictures" });
  const radio = (name: RegExp) => dialog.getByRole("radio", { name });
  await tabTo(page, radio(/^Mini's captioner/));
  await keys.press("ArrowDown");
  await expect(radio(/^Florence-2/)).toBeChecked();
  await examine(page, "a captioner of the hub");
  await keys.press("ArrowUp");
  await expect(radio(/^Mini's captioner/)).toBeChecked();
  await tabTo(page, dialog.getByRole("combobox", { name: /^A caption that is there/ }));
  await keys.press("Enter");
  await keys.press("ArrowDown");
  await keys.press("Enter");
  await expect(dialog.getByRole("combobox", { name: "A caption that is there: Replace it" })).toBeFocused();
  await tabTo(page, dialog.getByRole("button", { name: "Settings of Mini's captioner" }));
  await keys.press("Enter");
  await examine(page, "a captioner's settings");
  await tabTo(page, dialog.getByRole("button", { name: "Caption 4 pictures", exact: true }));
  await keys.press("Enter");
  await expect(page.getByRole("button", { name: "Undo: Caption 4 pictures" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Captioning" })).toHaveCount(0);
  await expect(card("p0")).not.toContainText("a square number 0");
  await keys.press("Control+z");
  await expect(card("p0")).toContainText("a square number 0, boxy");
  await expect(card("p2")).toContainText("typed, a square number 2, boxy");

  // The tags: what goes together, only the pictures with one, an edit of those alone.
  await tabTo(page, page.getByRole("button", { name: "Tags", exact: true }));
  await keys.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Show only pictures with typed" }));
  await keys.press("Enter");
  const grid = page.getByRole("grid", { name: "Pictures" });
  await expect(grid).toHaveAttribute("data-count", "1");
  await examine(page, "tags");
  await keys.press("Control+h");
  const bulk = page.getByRole("dialog", { name: "Edit many captions" });
  await expect(bulk.getByRole("textbox", { name: "Find" })).toBeFocused();
  await keys.type("boxy");
  await keys.press("Tab");
  await keys.type("cubic");
  await tabTo(page, bulk.getByRole("combobox", { name: /^Where/ }), "Shift+Tab");
  await keys.press("Enter");
  await keys.press("ArrowDown");
  await keys.press("Enter");
  await expect(bulk.getByText("1 caption would change")).toBeVisible();
  await examine(page, "bulk edit");
  await tabTo(page, bulk.getByRole("button", { name: "Change 1 caption" }));
  await keys.press("Enter");
  await expect(card("p2")).toContainText("typed, a square number 2, cubic");

  await keys.press("/");
  await keys.press("Control+a");
  await keys.type("-tag:cubic");
  await expect(grid).toHaveAttribute("data-count", "3");
  await keys.press("Escape");
  await keys.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
  await examine(page, "the sheet of keys");
  await keys.press("Escape");
  await keys.press("Control+z");
  await expect(grid).toHaveAttribute("data-count", "4");
  await keys.press("Control+Shift+z");
  await expect(grid).toHaveAttribute("data-count", "3");
});
