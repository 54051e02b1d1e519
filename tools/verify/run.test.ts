import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findCaseFolders, loadCase } from "./cases";
import { createVerifyEnv } from "./environment";
import { total, totalsLine } from "./report";
import { runFolder } from "./run";

let base = "";

async function write(dir: string, text: string): Promise<string> {
  await mkdir(path.join(base, dir), { recursive: true });
  await writeFile(path.join(base, dir, "case.json"), text);
  return path.join(base, dir);
}

beforeAll(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), "weft-verify-"));
});
afterAll(() => rm(base, { recursive: true }));

it("finds nested cases and their root", async () => {
  await mkdir(path.join(base, "models"));
  const dir = await write("a/b", `{"kind": "no-such-kind"}`);
  expect(await findCaseFolders(base)).toEqual([dir]);
  const c = await loadCase(dir, base);
  expect(c).toMatchObject({ name: path.join("a", "b"), root: base });
  expect((await c.tensors()).size).toBe(0);
});

it.each(["no-such-kind", "__proto__", "../main"])("skips the unbuilt kind %s", async (kind) => {
  const dir = await write("unknown", JSON.stringify({ kind }));
  expect(await runFolder(dir, base, createVerifyEnv())).toMatchObject([{ status: "skipped" }]);
});

it("reports a case that cannot be read as failed", async () => {
  const broken = await write("broken", "{");
  expect(await runFolder(broken, base, createVerifyEnv())).toMatchObject([{ status: "failed" }]);
});

it("leaves out kinds that were not asked for", async () => {
  const dir = await write("unknown", `{"kind": "x"}`);
  expect(await runFolder(dir, base, createVerifyEnv(), ["y"])).toEqual([]);
});

it("ends with the totals", () => {
  const totals = total([{ status: "passed" }, { status: "failed" }, { status: "passed" }]);
  expect(totalsLine(totals)).toBe("2 passed, 1 failed");
  expect(totalsLine({ ...totals, skipped: 4 })).toBe("2 passed, 1 failed, 4 skipped");
});

it("makes a shared thing once", async () => {
  let made = 0;
  const env = createVerifyEnv();
  const make = async () => ++made;
  expect([await env.once("k", make), await env.once("k", make)]).toEqual([1, 1]);
});
