/** Datasets of the size that people have, with figures. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mixedFolder } from "../../tools/fixtures/datasets";
import { randomNumbers, scene } from "../../tools/fixtures/pictures";
import { expect, test } from "../session";
import { heapMegabytes, say, scrollFrames, takeLongTasks, taskList, watchLongTasks } from "./measure";

test("300 pictures with 12 broken ones in one drop", async ({ page, person, folder }) => {
  const place = path.join(folder, "mixed");
  await mixedFolder(place, 288);
  await watchLongTasks(page);
  await page.reload();
  await person.visit("dataset");
  await takeLongTasks(page);
  const begin = performance.now();
  const { used, refused } = await person.addPictures(place);
  const seconds = (performance.now() - begin) / 1000;
  const tasks = await takeLongTasks(page);
  say("300 pictures", {
    seconds,
    "pictures per second": 300 / seconds,
    "tasks over 50 ms": taskList(tasks),
  });
  expect(used).toBe(288);
  expect(refused).toHaveLength(12);
  for (const { reason } of refused) expect(reason.length).toBeGreaterThan(10);
  await expect(page.getByTestId("doctor-summary")).not.toHaveText("Looking …", { timeout: 60_000 });
  await scrollFrames(page, 3000, 2000);
  say("300 pictures, doctor and scrolling", {
    tasks: taskList(await takeLongTasks(page)),
  });
  expect(tasks.filter(({ duration }) => duration >= 100)).toEqual([]);
});

/** Mostly small, some of a phone's size, each a file of its own made of a few dozen pictures. */
async function manyPictures(place: string, count: number): Promise<void> {
  mkdirSync(place, { recursive: true });
  const random = randomNumbers(5);
  const sources: Buffer[] = [];
  for (let index = 0; index < 60; index++) {
    const [width, height] = index < 54 ? [640, 480] : index < 59 ? [1600, 1200] : [4000, 3000];
    sources.push(
      await scene(index, width ?? 0, height ?? 0)
        .jpeg({ quality: 85 })
        .toBuffer(),
    );
  }
  for (let index = 0; index < count; index++) {
    // One in forty is large.
    const source = sources[random() < 0.975 ? Math.floor(random() * 54) : 54 + Math.floor(random() * 6)];
    if (source)
      writeFileSync(path.join(place, `${index}.jpg`), Buffer.concat([source, Buffer.from(String(index))]));
    writeFileSync(path.join(place, `${index}.txt`), `picture number ${index}, shapes of group ${index % 97}`);
  }
}

test("T-S2: ten thousand pictures", async ({ page, person, folder }) => {
  test.setTimeout(60 * 60_000);
  const count = Number(process.env["WEFT_MANY"] ?? 10_000);
  const place = path.join(folder, "many");
  await manyPictures(place, count);
  await watchLongTasks(page);
  await page.reload();
  await person.visit("dataset");
  await takeLongTasks(page);

  const begin = performance.now();
  await page.locator("input[webkitdirectory]").setInputFiles(place);
  const grid = page.getByRole("grid", { name: "Pictures" });
  await expect(grid).toHaveAttribute("data-count", String(count), { timeout: 50 * 60_000 });
  const seconds = (performance.now() - begin) / 1000;
  const tasks = await takeLongTasks(page);
  say("import", {
    pictures: count,
    seconds,
    "per second": count / seconds,
    "tasks over 50 ms": taskList(tasks),
    "heap MB": await heapMegabytes(page),
  });

  await page.waitForTimeout(5000);
  say("slow scrolling", await scrollFrames(page, 5000, 1500));
  say("fast scrolling", await scrollFrames(page, 5000, 12_000));
  const shown = await page.getByRole("gridcell").count();
  expect(shown).toBeLessThan(200);

  const filter = page.getByRole("searchbox", { name: /Filter/ });
  const filtering = await filter.evaluate(async (input: HTMLInputElement) => {
    const start = performance.now();
    input.value = "group 13";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
    return performance.now() - start;
  });
  await expect(grid).toHaveAttribute("data-count", /^\d{1,3}$/);
  await filter.fill("");

  await page.reload();
  const reopened = performance.now();
  await expect(grid).toHaveAttribute("data-count", String(count), { timeout: 120_000 });
  const heap = await heapMegabytes(page);
  say("afterwards", {
    "filter ms": filtering,
    "reopen s": (performance.now() - reopened) / 1000,
    "heap MB": heap,
    cards: shown,
  });
  expect(heap).toBeLessThan(300);
});

test("a drop is cancelled at once and leaves only whole pictures", async ({ page, person, folder }) => {
  const place = path.join(folder, "cancelled");
  mkdirSync(place);
  await manyPictures(path.join(folder, "source"), 10);
  for (let index = 0; index < 400; index++)
    copyFileSync(path.join(folder, "source", `${index % 10}.jpg`), path.join(place, `${index}.jpg`));
  await person.visit("dataset");
  await page.locator("input[webkitdirectory]").setInputFiles(place);
  const adding = page.getByRole("region", { name: "Adding pictures" });
  await adding.getByText(/^([5-9]|\d\d+) of/).waitFor();
  await adding.getByRole("button", { name: "Cancel" }).click();
  await expect(adding).toHaveCount(0);
  const grid = page.getByRole("grid", { name: "Pictures" });
  const kept = Number(await grid.getAttribute("data-count"));
  expect(kept).toBeLessThan(400);
  await page.waitForTimeout(1000);
  await page.reload();
  await expect(grid).toHaveAttribute("data-count", String(await grid.getAttribute("data-count")));
  await page.getByRole("gridcell").first().locator("img").waitFor();
});
