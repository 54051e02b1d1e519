import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { countPlaywright, countVitest, readCounts } from "./counts";

const vitest = {
  numPassedTests: 3,
  numFailedTests: 1,
  numPendingTests: 1,
  numTodoTests: 0,
  testResults: [
    { status: "failed", assertionResults: [{ status: "failed" }, { status: "passed" }] },
    { status: "passed", assertionResults: [{ status: "passed" }, { status: "passed" }] },
  ],
};

function written(report: unknown): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "weft-")), "report.json");
  writeFileSync(file, JSON.stringify(report));
  return file;
}

it("counts tests, and a file that does not load as one failure", () => {
  expect(countVitest(vitest)).toEqual({ passed: 3, failed: 1, skipped: 1 });
  const broken = { status: "failed", assertionResults: [] };
  expect(countVitest({ ...vitest, testResults: [...vitest.testResults, broken] }).failed).toBe(2);
});

it("counts a flaky browser test and a global error as failures", () => {
  const stats = { expected: 5, unexpected: 1, flaky: 1, skipped: 2 };
  expect(countPlaywright({ stats, errors: [{}] })).toEqual({ passed: 5, failed: 3, skipped: 2 });
});

it("never reads a runner's bad end as success", () => {
  const green = { ...vitest, numFailedTests: 0, testResults: [] };
  expect(readCounts("/nowhere/report.json", true, countVitest).failed).toBe(1);
  expect(readCounts(written(green), false, countVitest)).toEqual({ passed: 3, failed: 1, skipped: 1 });
  expect(readCounts(written(green), true, countVitest).failed).toBe(0);
});
