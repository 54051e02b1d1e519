/** A full disk: told in words, nothing lost, a run waits (T-S1). */
import type { Page } from "@playwright/test";
import { Person } from "../tools/demo/person";
import { checkpointFile } from "./checkpoints";
import { bigPicture, pictures } from "./files";
import { expect, onlyTraining, test } from "./session";

test.setTimeout(10 * 60_000);

const roomForSmallPictures = 5_000_000;

/** Lets the site use `spare` bytes more than it does now; undefined lifts the limit. */
async function limitStorage(page: Page, spare: number | undefined, site = page.url()): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(site);
  const { usage } = await session.send("Storage.getUsageAndQuota", { origin });
  await session.send("Storage.overrideQuotaForOrigin", {
    origin,
    ...(spare === undefined ? {} : { quotaSize: usage + spare }),
  });
}

test("T-S1: pictures that do not fit are told, those that are here stay", async ({
  page,
  baseURL,
  folder,
}) => {
  // Chrome keeps what it knows about free space for half a minute: the limit must be there before the first write.
  await limitStorage(page, roomForSmallPictures, baseURL ?? "");
  await page.goto("/");
  const person = new Person(page, folder);
  await person.addPictures(await pictures(folder, 2));
  await page.locator('input[type="file"][multiple]').setInputFiles(await bigPicture(folder));
  await expect(page.getByText("The browser has no room left for this site.").first()).toBeVisible({
    timeout: 60_000,
  });
  await limitStorage(page, undefined);
  await page.reload();
  await expect(page.getByRole("button", { name: /p0\.png/ })).toBeVisible();
  await expect(page.getByRole("button", { name: /p1\.png/ })).toBeVisible();
});

test("T-S1: a run whose checkpoint does not fit pauses, and goes on when there is room", async ({
  page,
  person,
  folder,
}) => {
  await person.openModel(undefined);
  await person.addPictures(await pictures(folder, 2));
  const advanced = { ...onlyTraining, rank: 4 };
  await person.setUpTraining({ steps: 60, size: 64, seed: 1, advanced });
  await limitStorage(page, 0);
  await person.start();
  await expect(page.getByText(/Paused: The browser has no room left/)).toBeVisible({ timeout: 300_000 });
  await limitStorage(page, undefined);
  await page.getByRole("button", { name: "Try again" }).click();
  await person.reachSavedStep(2);
  await page.getByRole("button", { name: "Stop and keep the file" }).click();
  await person.downloadLora();
});

test("T-S1: a model that does not fit is told, the one that is here stays, and it can be used all the same", async ({
  page,
  person,
  folder,
}) => {
  // Room for the small one, which is kept, and for half of the large one.
  await limitStorage(page, 40_000_000);
  await person.openModel(checkpointFile(folder).file);
  await page.locator('input[accept*=".safetensors"]').setInputFiles("public/models/mini.safetensors");
  await expect(page.getByRole("alert")).toContainText("The browser has no room left", { timeout: 120_000 });
  await expect(page.locator('[data-testid="kept-model"][data-state="complete"]')).toContainText(
    "tiny.safetensors",
  );
  await expect(page.getByRole("heading", { name: "About tiny.safetensors" })).toBeVisible();
  await page.getByRole("button", { name: "Use it without keeping a copy" }).click();
  await expect(page.getByRole("heading", { name: "About mini.safetensors" })).toBeVisible({
    timeout: 120_000,
  });
});
