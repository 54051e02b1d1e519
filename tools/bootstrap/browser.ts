/** Makes sure that there is a Chromium to run the app's tests and the demo in. */
import { WeftError } from "../../src/base/errors";
import { findBrowser } from "../lib/browser";
import { say, work } from "../lib/process";
import { candidateVersion, canInstall, install, update } from "./apt";

/** Ubuntu's package of that name only fetches a snap, which cannot run in containers nor see our folders. */
function isSnapPackage(version: string): boolean {
  return /snap/.test(version);
}

function installFromApt(): boolean {
  if (!canInstall()) return false;
  say("installing Chromium with apt: the tests and the demo drive the real app in it");
  update();
  const version = candidateVersion("chromium");
  if (version === undefined || isSnapPackage(version)) {
    say("this system's chromium package is only a link to a snap, which cannot be used here");
    return false;
  }
  return install(["chromium", "fonts-liberation"]) && findBrowser() !== undefined;
}

/** The build that Playwright keeps for its own tests, in the user's cache folder. */
function installFromPlaywright(): boolean {
  say("installing the Chromium build that Playwright offers");
  const playwright = ["node_modules/playwright/cli.js"];
  if (canInstall()) work(process.execPath, [...playwright, "install-deps", "chromium"]);
  return work(process.execPath, [...playwright, "install", "--no-shell", "chromium"]);
}

/**
 * The browser's path, after installing one where there is none.
 * @throws WeftError `no-browser` when neither apt nor Playwright could provide it
 */
export function ensureBrowser(): string {
  const chosen = process.env["CHROMIUM"];
  const present = findBrowser();
  if (present !== undefined) return present;
  if (chosen)
    throw new WeftError("no-browser", `CHROMIUM is ${chosen}, which does not exist.`, "Correct it.");
  const installed = installFromApt() || installFromPlaywright() ? findBrowser() : undefined;
  if (installed !== undefined) return installed;
  throw new WeftError(
    "no-browser",
    "There is no Chromium on this machine and none could be installed.",
    "Install Chromium or Google Chrome, or set CHROMIUM to the path of one.",
  );
}
