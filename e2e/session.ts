/** What every flow starts with: the app in a page, its verbs, and an ear for what must never happen. */
import { test as base, expect } from "@playwright/test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Person } from "../tools/demo/person";

interface Session {
  person: Person;
  /** A folder of this test's own. */
  folder: string;
  /** Console errors, uncaught exceptions and policy violations so far. */
  complaints: string[];
}

export const test = base.extend<Session>({
  // Playwright wants the first argument to be destructured.
  // oxlint-disable-next-line no-empty-pattern
  folder: async ({}, use) => {
    await use(mkdtempSync(path.join(tmpdir(), "weft-e2e-")));
  },
  complaints: async ({ page }, use) => {
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await use(complaints);
    expect(complaints, "nothing complains in the console").toEqual([]);
  },
  person: async ({ page, folder, complaints }, use) => {
    expect(complaints).toEqual([]);
    await page.goto("/");
    await use(new Person(page, folder));
  },
});

/** Advanced settings of the least work that still is a run: no pictures on the way, no check at the end. */
export const onlyTraining = {
  batchSize: 1,
  rank: 1,
  saveEvery: 1,
  sampleEvery: 0,
  samplePrompt: "",
  fixedNoiseDraws: 0,
};

export { expect } from "@playwright/test";
