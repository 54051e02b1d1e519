/** T-F1 for whole checkpoints: fuzzed headers and truncated files are refused in words, quickly, with little memory. */
import fc from "fast-check";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { TensorFileError } from "../safetensors/errors";
import { fromBytes, type ByteSource } from "../safetensors/source";
import { detectCheckpoint } from "./detect";
import { tinyConfig, tinyFile } from "./testing/tinyCheckpoint";

setFlagsFromString("--expose_gc");
const collectGarbage = runInNewContext("gc") as () => void; // Node gives it no type

const MOST_MEMORY = 64e6;
const LONGEST_MS = 2000;
const good = tinyFile(tinyConfig("sd1"));
const headerBytes = Number(new DataView(good.buffer).getBigUint64(0, true));
const header = new TextDecoder().decode(good.subarray(8, 8 + headerBytes));
const tensorNames = Object.keys(JSON.parse(header) as object).filter((name) => name !== "__metadata__");

function withHeader(text: string, data: Uint8Array = good.subarray(8 + headerBytes)): Uint8Array {
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.byteLength + data.byteLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.byteLength), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.byteLength);
  return bytes;
}

type Verdict = "accepted" | "refused" | "refused without a way out";

/** What came of it; throws when a promise of T-F1 is broken. */
async function verdict(source: ByteSource): Promise<Verdict> {
  collectGarbage();
  const before = process.memoryUsage();
  const began = performance.now();
  let result: Verdict = "accepted";
  try {
    await detectCheckpoint(source);
  } catch (error) {
    if (!(error instanceof TensorFileError)) throw error;
    result = error.hint === "" ? "refused without a way out" : "refused";
  }
  const milliseconds = performance.now() - began;
  const after = process.memoryUsage();
  const memory = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
  expect(memory).toBeLessThan(MOST_MEMORY);
  expect(milliseconds).toBeLessThan(LONGEST_MS);
  return result;
}

type Entry = Record<string, unknown>;

/** One lie in an otherwise good header. */
const lie = fc.record({
  tensor: fc.constantFrom(...tensorNames),
  how: fc.constantFrom("drop", "rename", "shape", "dtype", "offsets", "number", "twice"),
  value: fc.oneof(fc.nat(40), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e300, 9999)),
});

function told(lies: readonly { tensor: string; how: string; value: number }[]): string {
  const root = JSON.parse(header) as Record<string, Entry>;
  let extra = "";
  for (const { tensor, how, value } of lies) {
    const entry = root[tensor];
    if (!entry) continue;
    if (how === "drop") delete root[tensor];
    if (how === "rename") root[`${tensor}.${value}`] = entry;
    if (how === "shape") entry["shape"] = [value, ...(entry["shape"] as number[]).slice(1)];
    if (how === "dtype") entry["dtype"] = ["F32", "F8_E4M3", "I64", "x"][Math.abs(Math.floor(value)) % 4];
    if (how === "offsets") entry["data_offsets"] = [value, value + 8];
    if (how === "number") root[tensor.replace(/\d+/, String(value))] = entry;
    if (how === "twice") extra = `,${JSON.stringify(tensor)}:${JSON.stringify(entry)}`;
  }
  return `${JSON.stringify(root).slice(0, -1)}${extra}}`;
}

test("60 headers with lies in them", async () => {
  const property = fc.asyncProperty(fc.array(lie, { minLength: 1, maxLength: 4 }), async (lies) => {
    expect(["accepted", "refused"]).toContain(
      await verdict(fromBytes(withHeader(told(lies)), "fuzz.safetensors")),
    );
  });
  await fc.assert(property, { numRuns: 60 });
});

test("60 truncated files", async () => {
  const property = fc.asyncProperty(fc.nat(good.byteLength - 1), async (keep) => {
    expect(await verdict(fromBytes(good.slice(0, keep), "cut.safetensors"))).toBe("refused");
  });
  await fc.assert(property, { numRuns: 60 });
});

test("the largest headers that are read at all", async () => {
  const entry = '{"dtype":"F16","shape":[0],"data_offsets":[0,0]}';
  const many = Array.from({ length: 200_000 }, (_, n) => `"${n}":${entry}`).join(",");
  const deep = `"a":[${"0,".repeat(7_000_000)}0]`;
  const wide = Array.from({ length: 1_500_000 }, (_, n) => `"${n}":{}`).join(",");
  for (const text of [many, deep, wide])
    expect(await verdict(fromBytes(withHeader(`{${text}}`, new Uint8Array()), "big.safetensors"))).toBe(
      "refused",
    );
});

test("blocks numbered as no model has them", async () => {
  const keys = [
    "model.diffusion_model.input_blocks.9999.0.op.weight",
    "model.diffusion_model.input_blocks.1.1.transformer_blocks.9998.x",
  ];
  const root = JSON.parse(header) as Record<string, Entry>;
  for (const key of keys) root[key] = { dtype: "F16", shape: [0], data_offsets: [0, 0] };
  expect(await verdict(fromBytes(withHeader(JSON.stringify(root)), "numbered.safetensors"))).toBe("refused");
});
