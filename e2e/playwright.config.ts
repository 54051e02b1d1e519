/**
 * Whole flows of the built app in a real Chromium. `npm run e2e` builds first. What takes minutes lies in `slow/`, is no part
 * of `npm test` and has a command of its own, `npm run e2e:slow`.
 */
import { defineConfig } from "@playwright/test";
import { launchOptions } from "./launch";

const port = 4317;

export default defineConfig({
  testDir: ".",
  outputDir: "../test-results",
  fullyParallel: false,
  // One browser at a time: a software adapter takes every core there is.
  workers: 1,
  timeout: 180_000,
  // A software adapter answers late, not never.
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env["CI"]),
  projects: [
    { name: "main", testIgnore: "slow/**" },
    { name: "slow", testMatch: "slow/**/*.spec.ts", timeout: 30 * 60_000 },
  ],
  use: { baseURL: `http://localhost:${port}`, launchOptions: launchOptions(), trace: "retain-on-failure" },
  webServer: {
    command: "node ../tools/run.mjs tools/bootstrap/start.ts",
    env: { PORT: String(port), NO_OPEN: "1" },
    url: `http://localhost:${port}`,
    reuseExistingServer: false,
    timeout: 180_000,
  },
});
