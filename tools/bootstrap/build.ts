/** Builds `dist/` when something it is made of is newer. */
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { build } from "vite";
import { root, say } from "../lib/process";

const inputs = ["index.html", "src", "shaders", "public", "vite.config.ts", "tools/lib", "package-lock.json"];

/** The time of the last change under a file or folder, in milliseconds; 0 when it does not exist. */
function lastChange(place: string): number {
  if (!existsSync(place)) return 0;
  const { mtimeMs } = statSync(place);
  if (!statSync(place).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(place).map((name) => lastChange(path.join(place, name))));
}

function isStale(): boolean {
  const built = path.join(root, "dist/index.html");
  if (!existsSync(built)) return true;
  return inputs.some((input) => lastChange(path.join(root, input)) > statSync(built).mtimeMs);
}

export async function buildIfStale(): Promise<void> {
  if (!isStale()) return;
  say("building the app into dist/");
  await build({ root, logLevel: "warn" });
}
