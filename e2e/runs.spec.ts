/** A run that is stopped leaves a file; one whose tab is killed goes on from its checkpoint (T-C1, T-C6). */
import { pictures } from "./files";
import { expect, onlyTraining, test } from "./session";

const small = { size: 64, seed: 7, advanced: onlyTraining };

test.setTimeout(15 * 60_000);

test("stopped early, a run leaves a usable file", async ({ page, person, folder }) => {
  await person.openModel(undefined);
  await person.addPictures(await pictures(folder, 2));
  await person.setUpTraining({ ...small, steps: 200 });
  await person.start();
  await person.reachStep(2);
  await page.getByRole("button", { name: "Stop and keep the file" }).click();
  const file = await person.downloadLora();
  expect(file.readUInt32LE(0)).toBeGreaterThan(100);
  expect(file.subarray(8, 9).toString()).toBe("{");
  await expect(page.getByText(/Stopped early/).first()).toBeVisible();
});

test("T-C1, T-C6: a run whose tab was reloaded ends with the very weights of one left alone", async ({
  page,
  person,
  folder,
}) => {
  await person.openModel(undefined);
  await person.addPictures(await pictures(folder, 2));
  await person.setUpTraining({ ...small, steps: 4 });
  await person.start();
  await person.downloadLora();
  const undisturbed = await person.newestWeightsHash();

  await person.setUpTraining({ ...small, steps: 4 });
  await person.start();
  await person.reachSavedStep(2);
  await page.getByRole("region", { name: "Progress" }).getByRole("button", { name: "Pause" }).click();
  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(page.getByText("Interrupted").first()).toBeVisible();
  await page.getByRole("button", { name: /^Resume from step [23]$/ }).click();
  await person.downloadLora();
  await expect(page.getByTestId("steps-done")).toHaveText("4");
  expect(await person.newestWeightsHash()).toBe(undisturbed);
});
