/** Mini's captioner on the sample dataset, from a cold profile; what is chosen for captioning belongs to a dataset. */
import type { Page } from "@playwright/test";
import { expect, test } from "./session";

/** Two quiet cores take a fifth of it (docs/log.md); a loaded machine may take longer. */
const longest = 60_000;

const dialog = (page: Page) => page.getByRole("dialog", { name: "Caption pictures" });

test("forty drawings are captioned in seconds; each dataset keeps its own choices", async ({ page, person }, {
  annotations,
}) => {
  await person.addPictures(undefined);
  await page.getByLabel("Trigger word").fill("inkwash");
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await page.getByRole("combobox", { name: /^A caption that is there: / }).click();
  await page.getByRole("option", { name: "Replace it" }).click();

  const started = Date.now();
  await dialog(page).getByRole("button", { name: "Caption 40 pictures", exact: true }).click();
  const captioned = page.getByRole("gridcell").locator(".caption");
  await expect(captioned.first()).toHaveText(/^inkwash, /, { timeout: longest });
  await expect(page.getByRole("button", { name: "Cancel" })).toHaveCount(0, { timeout: longest });
  const seconds = (Date.now() - started) / 1000;
  annotations.push({ type: "captioned 40 drawings", description: `${seconds.toFixed(1)} s` });
  expect(seconds).toBeLessThan(longest / 1000);
  for (const caption of await captioned.allTextContents()) expect(caption).toMatch(/^inkwash, an? \S/);

  await choose(page, "Duplicate");
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await page.getByRole("radio", { name: /^WD tagger: / }).click();
  await page.keyboard.press("Escape");
  await page.reload();
  await choose(page, "My dataset");
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await expect(page.getByRole("radio", { name: /^Mini's captioner: / })).toBeChecked();
  await page.keyboard.press("Escape");
  await choose(page, "My dataset copy");
  await page.getByRole("button", { name: "Caption pictures" }).click();
  await expect(page.getByRole("radio", { name: /^WD tagger: / })).toBeChecked();
});

async function choose(page: Page, item: string): Promise<void> {
  await page.getByRole("button", { name: /^Dataset: / }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
  await expect(page.getByRole("menu")).toHaveCount(0);
}
