/** Runs the bench page in Chromium, served by Vite straight from the sources. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright";
import { createServer } from "vite";
import { launchOptions } from "../../e2e/launch";
import { root, say } from "../lib/process";
import type { BenchOptions, BenchReport } from "./types";

export async function runInBrowser(options: BenchOptions): Promise<BenchReport> {
  const cacheDir = path.join(root, "node_modules/.cache/vite-bench");
  mkdirSync(cacheDir, { recursive: true });
  const server = await createServer({
    root,
    configFile: false,
    cacheDir,
    logLevel: "error",
    appType: "mpa",
    // A file saved meanwhile must not reload the page.
    server: { port: 0, hmr: false, watch: null },
    // protobufjs is CommonJS; the others are modules already, and onnxruntime-web finds its wasm by its own address.
    optimizeDeps: { noDiscovery: true, include: ["protobufjs/light.js"] },
    worker: { format: "es" },
  });
  await server.listen();
  const browser = await chromium.launch(launchOptions());
  try {
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "info") say(message.text());
      if (message.type() === "error") say(`the page complains: ${message.text()}`);
    });
    const address = server.resolvedUrls?.local[0] ?? "";
    await page.goto(`${address}tools/bench/page/index.html`);
    await page.waitForFunction("window.benchReady === true");
    return await page.evaluate<BenchReport>(`window.runBench(${JSON.stringify(options)})`);
  } finally {
    await browser.close();
    await server.close();
  }
}
