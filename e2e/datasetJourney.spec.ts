/** The Dataset room as a person goes through it: in, fixed, captioned, edited in bulk, reloaded, out again. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { writeSmallModels } from "../tools/captioner/files";
import { chooseCaptioner, chooseFiles, colours, exported } from "./captioning";
import { expect, test } from "./session";

test("import, doctor, captioner, bulk edit, reload, export", async ({ page, person, folder }) => {
  const models = writeSmallModels(path.join(folder, "models"), 4);
  const place = await colours(folder);
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
  await chooseCaptioner(page, "Florence-2");
  await chooseFiles(page, models.florence);
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

  const { texts, pictures } = await exported(page);
  const [, green] = [...texts].find(([name]) => name.endsWith("green.txt")) ?? [];
  expect(green).toBe("inkwash, a green picture, drawing");
  expect(pictures).toBe(3);
});
