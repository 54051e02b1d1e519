/** Finds a Chromium-family browser that is already on this machine; installs nothing. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const applications = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];

/**
 * Ubuntu's `chromium-browser` package is a shell script that only starts (or asks for) the snap. Inside
 * containers there is no snapd, and even with it a snap cannot read the folders a test needs.
 */
export function isSnapStub(file: string): boolean {
  if (realpathSync(file).includes("/snap")) return true;
  return statSync(file).size < 10_000 && readFileSync(file, "latin1").includes("/snap/");
}

function onPath(): string[] {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name)));
}

/** Browsers that Playwright downloaded earlier, newest first. Its headless shell has no WebGPU: left out. */
function fromPlaywright(): string[] {
  const folder = process.env["PLAYWRIGHT_BROWSERS_PATH"] ?? path.join(homedir(), ".cache/ms-playwright");
  if (!existsSync(folder)) return [];
  const builds = readdirSync(folder).filter((name) => /^chromium-\d+$/.test(name));
  builds.sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)));
  return builds.flatMap((build) =>
    ["chrome-linux", "chrome-linux64"].map((part) => path.join(folder, build, part, "chrome")),
  );
}

/** The browser to use: `CHROMIUM` when set, else the first usable one found. */
export function findBrowser(): string | undefined {
  const chosen = process.env["CHROMIUM"];
  if (chosen) return existsSync(chosen) ? chosen : undefined;
  return [...onPath(), ...applications, ...fromPlaywright()].find(
    (file) => existsSync(file) && !isSnapStub(file),
  );
}
