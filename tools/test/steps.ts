/** What `npm test` runs, in order. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { root, run, type Outcome } from "../lib/process";
import { countPlaywright, countVitest, one, readCounts, type Counts } from "./counts";
import { lintWgsl } from "./wgslLint";

export const groups = ["check", "units", "kernels", "e2e"] as const;
export type Group = (typeof groups)[number];

export interface Step {
  name: string;
  group: Group;
  run(): Promise<Counts & { output?: string }>;
}

const bin = (name: string) => path.join(root, "node_modules/.bin", name);

/** A check that passes or fails as a whole; its output is shown only when it failed. */
function check(name: string, test: () => Promise<Outcome>): Step {
  return {
    name,
    group: "check",
    run: async () => {
      const { ok, output } = await test();
      return { ...one(ok), output: ok ? "" : output };
    },
  };
}

function command(name: string, program: string, ...args: string[]): Step {
  return check(name, () => run(bin(program), args, { show: false }));
}

/** Type checks remember what they saw, so that a second run takes a second. */
function types(name: string): Step {
  return command(
    `types: ${name}`,
    "tsc",
    "-p",
    `tsconfig.${name}.json`,
    "--incremental",
    "--pretty",
    "false",
  );
}

async function lintShaders(): Promise<Outcome> {
  const folder = path.join(root, "shaders");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".wgsl"),
  );
  const lines = files
    .toSorted()
    .flatMap((file) =>
      lintWgsl(readFileSync(path.join(folder, file), "utf8")).map(
        ({ line, rule, message }) => `shaders/${file}:${line} ${rule}: ${message}`,
      ),
    );
  return { ok: lines.length === 0, output: `${lines.join("\n")}\n` };
}

const reports = path.join(root, "node_modules/.cache/weft-tests");

/** A path for a report of this run: what an earlier run left there must not be read. */
function freshReport(name: string): string {
  mkdirSync(reports, { recursive: true });
  const file = path.join(reports, `${name}.json`);
  rmSync(file, { force: true });
  return file;
}

function vitest(group: Group, project: string): Step {
  return {
    name: group,
    group,
    run: async () => {
      const report = freshReport(project);
      const args = ["run", "--project", project, "--reporter=default", "--reporter=json"];
      const { ok } = await run(bin("vitest"), [...args, `--outputFile.json=${report}`], { show: true });
      return readCounts(report, ok, countVitest);
    },
  };
}

const e2e: Step = {
  name: "e2e",
  group: "e2e",
  run: async () => {
    const report = freshReport("e2e");
    const args = [
      "test",
      "--config",
      "e2e/playwright.config.ts",
      "--project",
      "main",
      "--reporter=list,json",
    ];
    const { ok } = await run(bin("playwright"), args, {
      show: true,
      env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report },
    });
    return readCounts(report, ok, countPlaywright);
  },
};

const imports = ["src", "tools", "e2e", "vite.config.ts", "vitest.config.ts"];

export const steps: Step[] = [
  types("page"),
  types("worker"),
  types("e2e"),
  command("types: components", "svelte-check", "--tsconfig", "tsconfig.page.json", "--output", "human"),
  command("lint", "oxlint", "--type-aware", "--deny-warnings"),
  check("lint: shaders", lintShaders),
  command("imports", "depcruise", "--config", ".dependency-cruiser.mjs", ...imports),
  command("dead code", "knip", "--no-config-hints", "--no-progress"),
  command("format", "prettier", "--check", "--cache", "."),
  vitest("units", "unit"),
  vitest("kernels", "gpu"),
  e2e,
];
