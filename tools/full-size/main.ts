/**
 * Writes a full-size Stable Diffusion checkpoint with seeded random weights, f16, in the original key layout: the same
 * sizes as a real one, for tests of the loader and of memory where no real one can be had.
 *
 * `node tools/run.mjs tools/full-size/main.ts --out sd15-random.safetensors [--family sd1] [--seed 1]`
 */
import { open } from "node:fs/promises";
import { Command } from "commander";
import { floatsToHalf } from "../../src/base/half";
import { checkpointLayout } from "../../src/formats/checkpoint/layout";
import { fullSizeConfig } from "../../src/formats/checkpoint/fullSize";
import type { FamilyName } from "../../src/formats/checkpoint/config";
import { reportingErrors } from "../lib/errors";

interface Placed {
  readonly key: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

await reportingErrors(async () => {
  const { out, family, seed } = new Command("full-size")
    .requiredOption("--out <file>")
    .option("--family <name>", "sd1, sd2 or sdxl", "sd1")
    .option("--seed <n>", "", "1")
    .parse(process.argv)
    .opts<{ out: string; family: FamilyName; seed: string }>();
  const tensors = [...checkpointLayout(fullSizeConfig(family))].map(([key, { shape }]): Placed => ({
    key,
    shape,
    bytes: 2 * shape.reduce((product, extent) => product * extent, 1),
  }));
  const file = await open(out, "w");
  try {
    await file.write(header(tensors));
    const random = xorshift(Number(seed));
    for (const tensor of tensors) await file.write(values(tensor, random));
  } finally {
    await file.close();
  }
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  process.stdout.write(`${out}: ${tensors.length} tensors, ${(total / 1e9).toFixed(2)} GB\n`);
});

function header(tensors: readonly Placed[]): Buffer {
  let offset = 0;
  const entries = tensors.map(({ key, shape, bytes }) => {
    const begin = offset;
    offset += bytes;
    return `${JSON.stringify(key)}:{"dtype":"F16","shape":[${shape.join(",")}],"data_offsets":[${begin},${offset}]}`;
  });
  const json = `{${entries.join(",")}}`;
  const padded = json.padEnd(8 * Math.ceil(json.length / 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, Buffer.from(padded)]);
}

/** Norm scales are one, biases zero, matrices uniform with variance 1/inputs, so that activations keep their size. */
function values({ key, shape, bytes }: Placed, random: () => number): Uint8Array {
  const floats = new Float32Array(bytes / 2);
  if (shape.length === 1) floats.fill(key.endsWith(".weight") ? 1 : 0);
  else {
    const bound = Math.sqrt(3 / shape.slice(1).reduce((product, extent) => product * extent, 1));
    for (let i = 0; i < floats.length; i++) floats[i] = bound * random();
  }
  const halves = floatsToHalf(floats);
  return new Uint8Array(halves.buffer);
}

/** Uniform in −1…1; quality does not matter here, speed does. */
function xorshift(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  };
}
