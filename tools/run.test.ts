import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { root } from "./lib/process";

// Inside the repository, where tools are: the loader resolves packages and sources from there.
const folder = mkdtempSync(path.join(root, "node_modules/.cache/weft-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

function runTool(name: string, source: string, ...args: string[]) {
  const file = path.join(folder, `${name}.ts`);
  writeFileSync(file, source);
  return spawnSync(process.execPath, ["tools/run.mjs", file, ...args], { cwd: root, encoding: "utf8" });
}

it("gives a tool its arguments and shaders as text, also when it imports late", () => {
  writeFileSync(path.join(folder, "one.wgsl"), "fn one() {}");
  const source = `
    const words: string[] = process.argv.slice(2);
    setTimeout(async () => {
      const { default: text } = await import("./one.wgsl?raw");
      console.log(JSON.stringify([words, text]));
    }, 50);`;
  const { stdout, status } = runTool("late", source, "--steps", "3");
  expect(JSON.parse(stdout)).toEqual([["--steps", "3"], "fn one() {}"]);
  expect(status).toBe(0);
});

it("says what a person can do about an error of theirs, without a stack", () => {
  const source = `
    import { WeftError } from "${path.join(root, "src/base/errors")}";
    throw new WeftError("truncated", "a.safetensors ends early.", "Download it again.");`;
  const { stderr, status } = runTool("fails", source);
  expect(stderr).toBe("weft: a.safetensors ends early.\nDownload it again.\n");
  expect(status).toBe(1);
});

it("shows where a bug of ours is, in the lines of the source", () => {
  const { stderr, status } = runTool(
    "bug",
    "interface Gone {\n  x: number;\n}\nthrow new TypeError('oops');\n",
  );
  expect(stderr).toMatch(/TypeError: oops\n\s+at .*bug\.ts:4:/);
  expect(status).toBe(1);
});

it("refuses a tool that does not exist", () => {
  const { stderr, status } = spawnSync(process.execPath, ["tools/run.mjs", "tools/none/main.ts"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr).toBe("weft: tools/none/main.ts does not exist\n");
  expect(status).toBe(1);
});
