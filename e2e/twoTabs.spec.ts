/** T-C9 in the Dataset room: two tabs on one dataset, one of them changes it, the other is told. */
import type { Page } from "@playwright/test";
import path from "node:path";
import { write } from "../tools/fixtures/datasets";
import { scene } from "../tools/fixtures/pictures";
import { expect, test } from "./session";

const trigger = (page: Page) => page.getByRole("textbox", { name: "Trigger word" });
const told = (page: Page) => page.getByText("This dataset is open in another tab");

test("T-C9: a second tab looks on, takes over and hands back; nothing is lost or doubled", async ({
  page,
  person,
  folder,
}) => {
  const place = path.join(folder, "pictures");
  for (const seed of [1, 2, 3]) write(place, `${seed}.png`, await scene(seed, 80, 80).png().toBuffer());
  await person.addPictures(place);
  await trigger(page).fill("inkwash");

  const second = await page.context().newPage();
  await second.goto("/#/dataset");
  await expect(told(second)).toBeVisible();
  await expect(trigger(second)).toHaveValue("inkwash");
  await expect(trigger(second)).not.toBeEditable();
  await second.getByRole("gridcell").first().getByRole("button").click();
  await second.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(second.getByText("is open in another tab and is changed there")).toBeVisible();
  await expect(second.getByRole("grid", { name: "Pictures" })).toHaveAttribute("data-count", "3");

  // What was typed a moment ago goes along.
  await trigger(page).fill("inkwash style");
  await second.getByRole("button", { name: "Edit it here" }).click();
  await expect(told(second)).toHaveCount(0);
  await expect(told(page)).toBeVisible();
  await expect(trigger(second)).toHaveValue("inkwash style");
  await second.getByRole("gridcell").first().getByRole("button").click();
  await second.getByRole("textbox", { name: "Caption" }).fill("from the second tab");

  // The tab that changes it goes: the other one has it, as it was left.
  await second.close();
  await expect(told(page)).toHaveCount(0);
  await expect(page.getByRole("gridcell", { name: /from the second tab/ })).toHaveCount(1);
  await page.getByRole("button", { name: "Undo: Edit a caption" }).click();
  await page.reload();
  await expect(told(page)).toHaveCount(0);
  await expect(page.getByRole("grid", { name: "Pictures" })).toHaveAttribute("data-count", "3");
  await expect(page.getByRole("gridcell", { name: /from the second tab/ })).toHaveCount(0);
});
