/** How Chromium is started for whole-app tests and for the demo: the flags are the same, so are the adapters. */
import type { LaunchOptions } from "playwright";
import { findBrowser } from "../tools/lib/browser";
import { WeftError } from "../src/base/errors";

/** Nothing leaves the machine on the browser's own behalf, or a test could not tell whose request it saw. */
const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/**
 * Chromium hides WebGPU on systems it does not know well; this flag shows it. Without a GPU it needs to be told
 * that the processor will do. `WEFT_ADAPTER=default` leaves the choice to the browser (for machines with a GPU).
 */
function webgpu(): string[] {
  const adapter = process.env["WEFT_ADAPTER"] === "default" ? "default" : "swiftshader";
  return ["--enable-unsafe-webgpu", `--use-webgpu-adapter=${adapter}`, "--enable-features=Vulkan"];
}

/** Chromium refuses to start its sandbox as root, which is who runs tests in containers. */
function sandbox(): string[] {
  return process.getuid?.() === 0 ? ["--no-sandbox"] : [];
}

/**
 * @throws WeftError `no-browser` where no Chromium is installed; `npm test` and `npm run demo` install one first.
 */
export function launchOptions(): LaunchOptions {
  const executablePath = findBrowser();
  if (executablePath === undefined) {
    throw new WeftError("no-browser", "No Chromium was found.", "Install one, or set CHROMIUM to its path.");
  }
  return { executablePath, headless: true, args: [...quiet, ...webgpu(), ...sandbox()] };
}
