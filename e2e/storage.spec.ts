/** What people made is still there after a reload (T-C1, T-C5). */
import { pictures } from "./files";
import { expect, test } from "./session";

test("T-C5: pictures, captions and the trigger word survive a reload", async ({ page, person, folder }) => {
  await person.addPictures(await pictures(folder, 3));
  await page.getByLabel("Trigger word").fill("boxy");
  await page.getByRole("button", { name: /p1\.png/ }).click();
  await page.getByRole("textbox", { name: "Caption" }).fill("a caption written by hand");
  await page.reload();
  await expect(page.getByText("3 pictures · 3 captioned")).toBeVisible();
  await expect(page.getByLabel("Trigger word")).toHaveValue("boxy");
  await page.getByRole("button", { name: /p1\.png/ }).click();
  await expect(page.getByRole("textbox", { name: "Caption" })).toHaveValue("a caption written by hand");
  await expect(page.locator("aside img")).toBeVisible();
});

test("a removed picture stays removed", async ({ page, person, folder }) => {
  await person.addPictures(await pictures(folder, 2));
  await page.getByRole("button", { name: /p0\.png/ }).click();
  await page.getByRole("complementary").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByText("1 picture ·")).toBeVisible();
  await page.reload();
  await expect(page.getByText("1 picture ·")).toBeVisible();
});
