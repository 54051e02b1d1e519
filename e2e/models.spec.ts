/** Base models from this computer and from the hub: kept, opened again without their file, deleted. */
import { expect, test } from "./session";
import { checkpointFile, checkpointFolder, vaeFile } from "./checkpoints";
import { standIn } from "./hubRoutes";

test("a checkpoint is kept, opens again after a reload without its file, and can be deleted", async ({
  page,
  person,
  folder,
}) => {
  const { file, sha256 } = checkpointFile(folder);
  expect(await person.openModel(file)).toBe("tiny.safetensors");
  const row = page.getByTestId("kept-model");
  await expect(row).toContainText("tiny.safetensors");
  await expect(row).toContainText("Stable Diffusion 1.x · noise (epsilon) · 32 bits");
  await expect(page.getByText(sha256.slice(0, 16))).toBeVisible();

  await page.reload();
  await expect(page.getByRole("heading", { name: "About tiny.safetensors" })).toBeVisible();

  await page.getByLabel("VAE file").setInputFiles(vaeFile(folder));
  await expect(page.getByLabel("Separate VAE: vae.safetensors")).toBeVisible();
  await expect(page.getByRole("heading", { name: "About tiny.safetensors" })).toBeVisible();

  await row.getByRole("button", { name: "Delete tiny.safetensors" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByTestId("kept-model")).toHaveCount(0);
  await expect(page.getByRole("heading", { name: /^About Mini/ })).toBeVisible();
});

test("a diffusers folder is the same model, and its memory is planned before training", async ({
  page,
  person,
  folder,
}) => {
  await person.openModel(undefined);
  await page.locator("input[webkitdirectory]").setInputFiles(checkpointFolder(folder));
  await expect(page.getByRole("heading", { name: "About tiny-folder" })).toBeVisible();
  await expect(page.getByTestId("kept-model")).toContainText("tiny-folder");

  await person.visit("train");
  await page.getByRole("button", { name: /^Memory/ }).click();
  await expect(page.locator("tr.now")).toContainText("Set");
  await page.getByRole("button", { name: /batch 2, rank/ }).click();
  await expect(page.locator("tr.now")).toContainText("Set");
  await page.getByRole("button", { name: /^Advanced/ }).click();
  await expect(page.locator("#field-batchSize")).toHaveValue("2");
});

test("a model of the hub is listed and fetched by ranges; other hosts are refused in words", async ({
  page,
  person,
  folder,
}) => {
  const hub = await standIn(page, checkpointFile(folder).file);
  await person.openModel(undefined);
  await page.getByLabel("Repository or address").fill("someone/tiny-model");
  await page.getByRole("button", { name: "Look" }).click();
  await expect(page.getByTestId("offers")).toContainText("tiny.safetensors");
  await page.getByRole("button", { name: "Get tiny.safetensors" }).click();
  await expect(page.getByRole("heading", { name: "About tiny.safetensors" })).toBeVisible();

  await page.getByLabel("Repository or address").fill("https://example.org/model.safetensors");
  await page.getByRole("button", { name: "Look" }).click();
  await expect(page.getByRole("alert")).toContainText("may not connect to example.org");
  await hub.close();
});
