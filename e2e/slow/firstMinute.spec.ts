/** The first minute of a newcomer with a cold profile, in seconds: the page answers, the first step is done. */
import { expect, test } from "../session";
import { say } from "./measure";

test("a page that answers, and a first step", async ({ page, person }) => {
  const seconds: Record<string, number> = {};
  const measure = async (name: string, work: () => Promise<void>): Promise<void> => {
    const started = performance.now();
    await work();
    seconds[name] = (performance.now() - started) / 1000;
  };

  await measure("page answers", async () => {
    await page.goto("/", { waitUntil: "commit" });
    await person.visit("dataset");
    await expect(page.getByRole("button", { name: "Use a sample dataset" }).first()).toBeEnabled();
  });
  await person.openModel(undefined);
  await person.addPictures(undefined);
  await person.visit("train");
  // What a person takes to read the room; the kernels are compiled meanwhile.
  await page.waitForTimeout(10_000);
  await measure("first step", async () => {
    await person.start();
    await person.reachStep(1);
  });

  say("first minute, seconds", seconds);
  expect(seconds["page answers"]).toBeLessThan(3);
  expect(seconds["first step"]).toBeLessThan(15);
});
