/** Golden kind `bad-files`: damaged, hostile and unsuitable files, and what a loader says to each. */
import path from "node:path";
import { detectCheckpoint, type DetectedCheckpoint } from "../../../src/formats/checkpoint/detect";
import { parseLora } from "../../../src/formats/lora/parse";
import { readLora } from "../../../src/formats/lora/read";
import { TensorFileError } from "../../../src/formats/safetensors/errors";
import { findNonFinite } from "../../../src/formats/safetensors/finite";
import { readSafetensorsHeader } from "../../../src/formats/safetensors/header";
import type { ByteSource } from "../../../src/formats/safetensors/source";
import { openFileSource } from "../../lib/fileSource";
import { buildRecipe, type RecipeEdit } from "../recipe";
import type { VerifyKind, VerifyOutcome } from "../types";

type Verdict = "accept" | "accept-with-warning" | "reject";

interface Expectation {
  expect: Verdict;
  reason: string;
  also_ok?: Verdict[];
  also_reasons?: string[];
}
interface FileRow extends Expectation {
  file: string;
}
interface RecipeRow extends Expectation {
  name: string;
  base: string;
  edits: RecipeEdit[];
}
interface BadFilesCase {
  params: { lora_target: string };
  files?: FileRow[];
  recipes?: RecipeRow[];
}

export const kind: VerifyKind = {
  name: "bad-files",
  async run(c): Promise<VerifyOutcome[]> {
    const golden = c.case as unknown as BadFilesCase;
    const inRoot = (file: string) => path.join(c.root, file);
    const base = await withFile(inRoot(golden.params.lora_target), detectCheckpoint);
    const outcomes: VerifyOutcome[] = [];
    for (const row of golden.files ?? []) {
      outcomes.push(judge(row.file, row, await withFile(inRoot(row.file), (source) => load(source, base))));
    }
    for (const row of golden.recipes ?? []) {
      const source = await withFile(inRoot(row.base), (file) => buildRecipe(file, row.edits, row.name));
      outcomes.push(judge(row.name, row, await load(source, base)));
    }
    return [...outcomes, prototypes()];
  },
};

async function withFile<T>(file: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await openFileSource(file);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

interface Result {
  verdict: Verdict;
  reason: string;
  message: string;
}

/** Loads a file as the app does: files with LoRA modules onto the base model, others as base models. */
async function load(source: ByteSource, base: DetectedCheckpoint): Promise<Result> {
  try {
    const { entries } = parseLora(await readSafetensorsHeader(source));
    return await (entries.size > 0 ? loadLora(source, base) : loadCheckpoint(source));
  } catch (error) {
    if (!(error instanceof TensorFileError)) throw error;
    return { verdict: "reject", reason: error.code, message: error.message };
  }
}

async function loadLora(source: ByteSource, base: DetectedCheckpoint): Promise<Result> {
  const { warnings } = await readLora(source, base.config);
  const [warning] = warnings;
  return warning
    ? { verdict: "accept-with-warning", reason: warning.code, message: warning.message }
    : ACCEPTED;
}

async function loadCheckpoint(source: ByteSource): Promise<Result> {
  const found = await detectCheckpoint(source);
  const [bad] = await findNonFinite(source, found.tensors.values());
  return bad === undefined
    ? ACCEPTED
    : { verdict: "accept-with-warning", reason: "nan", message: `${bad} is not finite` };
}

const ACCEPTED: Result = { verdict: "accept", reason: "ok", message: "" };

function judge(name: string, want: Expectation, got: Result): VerifyOutcome {
  const verdictOk = [want.expect, ...(want.also_ok ?? [])].includes(got.verdict);
  const reasons = [want.reason, ...(want.also_reasons ?? [])];
  const reasonOk = got.verdict === "accept" || reasons.includes(got.reason);
  if (verdictOk && reasonOk) return { name, status: "passed" };
  const detail = `${got.verdict} (${got.reason}: ${got.message}) instead of ${want.expect} (${reasons.join(" or ")})`;
  return { name, status: "failed", detail };
}

/** No file may have changed what every object inherits. */
function prototypes(): VerifyOutcome {
  const added = [Object.prototype, Array.prototype, Map.prototype].flatMap((prototype) =>
    Object.keys(prototype),
  );
  const clean = added.length === 0 && Object.getPrototypeOf({}) === Object.prototype;
  return { name: "prototypes unchanged", status: clean ? "passed" : "failed" };
}
