/** Golden kind `lora-file`: LoRA files byte for byte, and the module list of every base model. */
import path from "node:path";
import { detectCheckpoint } from "../../../src/formats/checkpoint/detect";
import { fullSizeConfig } from "../../../src/formats/checkpoint/fullSize";
import type { CheckpointConfig, FamilyName } from "../../../src/formats/checkpoint/config";
import { fileHashes } from "../../../src/formats/lora/hashes";
import { loraModules, loraShapes } from "../../../src/formats/lora/modules";
import { writeLoraTensors } from "../../../src/formats/lora/write";
import { readSafetensorsHeader, type SafetensorsHeader } from "../../../src/formats/safetensors/header";
import { fromBytes } from "../../../src/formats/safetensors/source";
import { readTensor } from "../../../src/formats/safetensors/tensor";
import type { TensorToWrite } from "../../../src/formats/safetensors/write";
import { openFileSource, type FileSource } from "../../lib/fileSource";
import type { VerifyCase, VerifyKind, VerifyOutcome } from "../types";

type TensorRow = [name: string, dtype: string, shape: number[]];
type ModuleShapes = Record<string, [down: number[], up: number[]]>;

interface LoraFileCase {
  file?: string;
  model: string | null;
  params: { base?: string; rank: number; conv_rank: number | null; train_te?: boolean };
  header_bytes: number;
  file_sha256: string;
  sshs_model_hash: string;
  sshs_legacy_hash: string;
  metadata: Record<string, string>;
  tensors: TensorRow[];
  modules: ModuleShapes;
}

export const kind: VerifyKind = {
  name: "lora-file",
  async run(c): Promise<VerifyOutcome[]> {
    const golden = c.case as unknown as LoraFileCase;
    if (golden.file === undefined) return [checkModules(golden)];
    const source = await openFileSource(path.join(c.root, golden.file));
    try {
      const header = await readSafetensorsHeader(source);
      return [
        await checkReading(source, header, golden),
        await checkWriting(source, header, golden),
        await checkTrainedKeys(c, header, golden),
      ];
    } finally {
      await source.close();
    }
  },
};

const BASES = new Map<string, FamilyName>([
  ["sd15", "sd1"],
  ["sd21-768", "sd2"],
  ["sdxl", "sdxl"],
]);

/** Module names and shapes of a full-size base model. */
function checkModules(golden: LoraFileCase): VerifyOutcome {
  const family = BASES.get(golden.params.base ?? "");
  if (!family) return { status: "skipped", detail: `unknown base model ${golden.params.base}` };
  return outcome("modules", [
    compare("modules", shapesByName(fullSizeConfig(family), golden, true), golden.modules),
  ]);
}

function shapesByName(config: CheckpointConfig, { params }: LoraFileCase, text: boolean): ModuleShapes {
  const { rank, conv_rank: convRank } = params;
  const modules = loraModules(config, { convolutions: convRank !== null }).filter(
    (m) => text || m.part === "unet",
  );
  return Object.fromEntries(
    modules.map((module): [string, ModuleShapes[string]] => {
      const { down, up } = loraShapes(module, module.kind === "conv3x3" ? (convRank ?? rank) : rank);
      return [module.name, [down, up]];
    }),
  );
}

async function checkReading(
  source: FileSource,
  header: SafetensorsHeader,
  golden: LoraFileCase,
): Promise<VerifyOutcome> {
  const rows = [...header.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape]);
  const hashes = await fileHashes(source, header.dataStart);
  return outcome("reading", [
    compare("tensors", rows, golden.tensors),
    compare("metadata", Object.fromEntries(header.metadata), golden.metadata),
    compare("header_bytes", header.dataStart - 8, golden.header_bytes),
    compare("file_sha256", hashes.sha256, golden.file_sha256),
    compare("AutoV3", hashes.autoV3, golden.sshs_model_hash.slice(0, 12)),
  ]);
}

/** The same tensors written by us: same data part, same header length, same hashes. */
async function checkWriting(
  source: FileSource,
  header: SafetensorsHeader,
  golden: LoraFileCase,
): Promise<VerifyOutcome> {
  const tensors: TensorToWrite[] = [];
  for (const info of [...header.tensors.values()].reverse()) {
    tensors.push({ ...info, bytes: await readTensor(source, info, "raw") });
  }
  const training = [...header.metadata].filter(([key]) => key.startsWith("ss_"));
  const spec = [...header.metadata].filter(([key]) => key.startsWith("modelspec."));
  const written = await writeLoraTensors(tensors, new Map(training), new Map(spec));
  const ours = await readSafetensorsHeader(fromBytes(written.bytes, "written"));
  const data = Buffer.from(written.bytes.subarray(ours.dataStart));
  const original = await source.read(header.dataStart, source.size - header.dataStart);
  return outcome("writing", [
    data.equals(original) ? null : "the data part differs",
    compare("header length", ours.dataStart, header.dataStart),
    compare("metadata", Object.fromEntries(ours.metadata), golden.metadata),
    compare("sshs_model_hash", written.hashes.model, golden.sshs_model_hash),
    compare("sshs_legacy_hash", written.hashes.legacy, golden.sshs_legacy_hash),
  ]);
}

/** The modules we would train on this model are those in the file, with the same shapes. */
async function checkTrainedKeys(
  c: VerifyCase,
  header: SafetensorsHeader,
  golden: LoraFileCase,
): Promise<VerifyOutcome> {
  const model = await openFileSource(path.join(c.root, golden.model ?? ""));
  try {
    const { config } = await detectCheckpoint(model);
    const inFile: ModuleShapes = {};
    for (const [name, { shape }] of header.tensors) {
      const module = /^(.*)\.lora_down\.weight$/.exec(name)?.[1];
      const up = header.tensors.get(`${module}.lora_up.weight`)?.shape;
      if (module !== undefined && up) inFile[module] = [[...shape], [...up]];
    }
    return outcome("trained modules", [
      compare("modules", shapesByName(config, golden, golden.params.train_te === true), inFile),
    ]);
  } finally {
    await model.close();
  }
}

/** null when equal (object key order aside), else what differs. */
function compare(what: string, got: unknown, want: unknown): string | null {
  const [a, b] = [canonical(got), canonical(want)];
  if (a === b) return null;
  const at = [...a].findIndex((character, i) => character !== b[i]);
  return `${what} differ: "${a.slice(Math.max(0, at - 40), at + 60)}" instead of "${b.slice(Math.max(0, at - 40), at + 60)}"`;
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function outcome(name: string, problems: readonly (string | null)[]): VerifyOutcome {
  const detail = problems.filter((problem) => problem !== null).join("; ");
  return detail ? { name, status: "failed", detail } : { name, status: "passed" };
}
