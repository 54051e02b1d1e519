/** Bad files are named with a reason, and nothing else is lost (T-F1, T-F4, T-F6). */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { hostileCaption, mixedFolder } from "./files";
import { expect, test } from "./session";

test("T-F4, T-F6: bad pictures are refused by name, a hostile caption stays text", async ({
  page,
  person,
  folder,
}) => {
  const { used, refused } = await person.addPictures(await mixedFolder(folder));
  expect(used).toBe(2);
  expect(refused.map(({ file }) => path.basename(file)).sort()).toEqual([
    "empty.png",
    "huge.png",
    "page.png",
  ]);
  for (const { reason } of refused) expect(reason.length).toBeGreaterThan(10);

  await page.getByRole("button", { name: /captioned\.jpg/ }).click();
  await expect(page.getByRole("textbox", { name: "Caption" })).toHaveValue(hostileCaption);
  await expect(page).not.toHaveTitle("hacked");
  expect(await page.locator("img[src='x']").count()).toBe(0);
});

test("T-F1: files that are no checkpoint are refused with the reason, and the model stays", async ({
  page,
  person,
  folder,
}) => {
  await person.openModel(undefined);
  const files = [
    { name: "page.safetensors", content: Buffer.from("<!doctype html><html><body>404</body></html>") },
    { name: "cut.safetensors", content: Buffer.from([0xff, 0xff, 0x01, 0, 0, 0, 0, 0, 0x7b]) },
    { name: "old.ckpt", content: Buffer.from([0x80, 0x02, 0x7d, 0x71, 0x00]) },
  ];
  for (const { name, content } of files) {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    await page.locator('input[accept*=".safetensors"]').setInputFiles(file);
    const alert = page.getByRole("alert");
    await expect(alert).toContainText(name);
    await alert.getByRole("button", { name: "Close" }).click();
    await expect(page.getByRole("heading", { name: /^About / })).toBeVisible();
  }
});
