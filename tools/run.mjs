#!/usr/bin/env node
/**
 * Runs a TypeScript tool of this repository: `node tools/run.mjs tools/verify/main.ts [arguments]`.
 *
 * Without a tool it only installs, for scripts that call a package's own command.
 *
 * Plain Node, no dependency: it is the first thing that runs on a bare clone. It makes sure that
 * `node_modules` is what `package-lock.json` asks for, then loads the tool through Vite, so that tools and the
 * app share one set of rules (imports without extension, `.wgsl?raw`). The tool sees `process.argv` as if Node
 * had been started on it. A tool may import lazily for as long as the process lives.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const oldestNode = [20, 19];

/** Stops with a sentence, not a stack: for everything a person can put right. */
function stop(message) {
  process.stderr.write(`weft: ${message}\n`);
  process.exit(1);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [needMajor, needMinor] = oldestNode;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  stop(
    `Node ${oldestNode.join(".")} or newer is needed, this is ${process.versions.node}. See https://nodejs.org`,
  );
}

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/**
 * True when every package of the lock file is installed in its version. npm keeps what it installed in
 * `node_modules/.package-lock.json`; packages for other systems (optional) may be absent there.
 */
function isInstalled() {
  const wanted = readJson(path.join(root, "package-lock.json"))?.packages;
  const installed = readJson(path.join(root, "node_modules/.package-lock.json"))?.packages;
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([place, entry]) => {
    if (place === "" || entry.link) return true;
    const found = installed[place];
    return found ? found.version === entry.version : entry.optional === true || entry.peer === true;
  });
}

function npm(...args) {
  process.stderr.write(`weft: npm ${args.join(" ")}\n`);
  const onWindows = process.platform === "win32";
  const done = spawnSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2], shell: onWindows });
  return done.status === 0;
}

function install() {
  if (isInstalled()) return;
  process.stderr.write(
    "weft: installing the npm packages that package-lock.json names (once; about a minute)\n",
  );
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund"];
  if (npm("ci", ...quiet) || npm("install", ...quiet)) return;
  stop("npm could not install the packages. Is the network reachable? npm's own message is above.");
}

/**
 * Vite's module runner with the settings of its own `runnerImport`, but left open: that one closes when the
 * tool's top level is done, and a later lazy import would then fail.
 */
async function runTool(file) {
  const entry = createRequire(path.join(root, "package.json")).resolve("vite");
  const { createRunnableDevEnvironment, resolveConfig } = await import(pathToFileURL(entry).href);
  const config = await resolveConfig(
    {
      root,
      configFile: false,
      envDir: false,
      cacheDir: path.join(root, "node_modules/.cache/vite-tools"),
      logLevel: "error",
      environments: {
        tools: {
          consumer: "server",
          dev: { moduleRunnerTransform: true },
          resolve: { external: true, mainFields: [], conditions: ["node"] },
        },
      },
    },
    "serve",
  );
  const environment = createRunnableDevEnvironment("tools", config, {
    runnerOptions: { hmr: false, sourcemapInterceptor: "prepareStackTrace" },
    hot: false,
  });
  await environment.init();
  await environment.runner.import(file);
}

/** A WeftError is for people: what happened and what to do. Anything else is a bug and keeps its stack. */
function reportAndExit(error) {
  const forPeople = error instanceof Error && typeof error.hint === "string" && error.code !== "internal";
  process.stderr.write(forPeople ? `weft: ${error.message}\n${error.hint}\n` : `${error?.stack ?? error}\n`);
  process.exit(1);
}

const [tool, ...args] = process.argv.slice(2);
checkNode();
install();
if (!tool) process.exit(0);
const file = path.resolve(root, tool);
if (!existsSync(file)) stop(`${tool} does not exist`);
process.argv = [process.argv[0], file, ...args];
// Also for what a tool leaves to a promise or a timer.
process.on("uncaughtException", reportAndExit);
await runTool(file).catch(reportAndExit);
