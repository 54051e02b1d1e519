/** The command palette: every room and verb from the keyboard. */
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "./session";

test("Ctrl K finds a command by a part of its name and does it", async ({ page, person }) => {
  await person.visit("model");
  await page.keyboard.press("Control+K");
  const box = page.getByPlaceholder("What do you want to do?");
  await expect(box).toBeFocused();
  const { violations } = await new AxeBuilder({ page }).include(".palette-dialog").analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await box.fill("dark col");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(box).toBeHidden();

  await page.keyboard.press("Control+K");
  await box.fill("go datas");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/dataset$/);

  await page.keyboard.press("Control+K");
  await box.fill("no such thing");
  await expect(page.getByText("Nothing of that name can be done now.")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(box).toBeHidden();
});
