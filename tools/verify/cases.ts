/** Finds golden cases on disk and wraps each in a {@link VerifyCase}. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { WeftError } from "../../src/base/errors";
import { readGoldenTensors } from "./tensors";
import type { GoldenTensor, VerifyCase } from "./types";

/** Every folder at or under `dir` that holds a `case.json`, sorted by path. */
export async function findCaseFolders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name === "case.json");
  return files.map((entry) => entry.parentPath).sort();
}

/** The nearest ancestor of `dir` (itself included) that holds `models/`; `dir` when there is none. */
function rootOf(dir: string): string {
  for (let at = dir; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, "models"))) return at;
    if (path.dirname(at) === at) return dir;
  }
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new WeftError("case-json", `${file} is not readable JSON: ${String(error)}`);
  }
}

/** @throws WeftError when `case.json` is not JSON. */
export async function loadCase(dir: string, base: string): Promise<VerifyCase> {
  const tensorFile = path.join(dir, "tensors.safetensors");
  let tensors: Promise<Map<string, GoldenTensor>> | undefined;
  return {
    name: path.relative(base, dir) || path.basename(dir),
    dir,
    root: rootOf(dir),
    case: await readJson(path.join(dir, "case.json")),
    tensors: () =>
      (tensors ??= existsSync(tensorFile) ? readGoldenTensors(tensorFile) : Promise.resolve(new Map())),
  };
}

export function kindOf(c: VerifyCase): string {
  return String(c.case["kind"]);
}
