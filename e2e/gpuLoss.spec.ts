/** The GPU process dies in the middle of a run: the run goes on from its checkpoint by itself (T-G1). */
import { expect, test } from "@playwright/test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Person } from "../tools/demo/person";
import { pictures } from "./files";
import { onlyTraining } from "./session";

test.setTimeout(10 * 60_000);

// Not the session fixture: the browser itself writes about the crash into the console.
test("T-G1: a crashed GPU process costs at most the steps since the last checkpoint", async ({
  page,
  browser,
}) => {
  const folder = mkdtempSync(path.join(tmpdir(), "weft-e2e-"));
  const person = new Person(page, folder);
  await page.goto("/");
  await person.openModel(undefined);
  await person.addPictures(await pictures(folder, 2));
  await person.setUpTraining({ steps: 5, size: 64, seed: 7, advanced: onlyTraining });
  await person.start();
  await person.reachSavedStep(1);
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.crashGpuProcess");
  await expect(page.getByText("The GPU restarted.")).toBeVisible({ timeout: 120_000 });
  await person.downloadLora();
  await expect(page.getByTestId("steps-done")).toHaveText("5");
});
