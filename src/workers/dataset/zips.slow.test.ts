/** T-F3: the whole corpus of hostile zips, with how long each takes to refuse and what it costs in memory. */
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { zipOf } from "../../../tools/fixtures/datasets";
import { rawZip, type RawEntry } from "../../../tools/fixtures/rawZip";
import { WeftError } from "../../base/errors";
import { planImport } from "./plan";
import { inflate } from "./unzip";

const mutations = 10_000;
const picture = { name: "a.png", stored: Buffer.from("picture"), method: 0 };
const zeros = deflateRawSync(Buffer.alloc(60 * 2 ** 20));

/** As 42.zip: each layer holds sixteen of the next, the innermost one a bomb. */
function layers(depth: number): Uint8Array<ArrayBuffer> {
  let inner: Uint8Array<ArrayBuffer> = rawZip([{ name: "0.dll", stored: zeros, size: 60 * 2 ** 20 }]);
  for (let layer = 0; layer < depth; layer++) {
    const stored = deflateRawSync(inner);
    const size = inner.length;
    inner = rawZip(Array.from({ length: 16 }, (_, i) => ({ name: `lib ${i}.zip`, stored, size })));
  }
  return inner;
}

/** As Fifield's: every entry of the table names the same few bytes. */
function overlapping(count: number): Uint8Array<ArrayBuffer> {
  const entry = (i: number): RawEntry => ({
    name: `${i}.png`,
    stored: i === 0 ? deflateRawSync(Buffer.alloc(200_000)) : new Uint8Array(),
    size: 200_000,
    offset: 0,
  });
  return rawZip(Array.from({ length: count }, (_, i) => entry(i)));
}

/** An entry whose sizes and place are in a zip64 field that lies. */
function lyingZip64(size: bigint): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(rawZip([picture]));
  const at = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  extra.writeBigUInt64LE(size, 4);
  extra.writeBigUInt64LE(size, 12);
  extra.writeBigUInt64LE(size, 20);
  const directory = Buffer.from(bytes.subarray(at, at + 46 + picture.name.length));
  directory.writeUInt32LE(0xffffffff, 20);
  directory.writeUInt32LE(0xffffffff, 24);
  directory.writeUInt16LE(extra.length, 30);
  directory.writeUInt32LE(0xffffffff, 42);
  const end = Buffer.from(bytes.subarray(-22));
  end.writeUInt32LE(directory.length + extra.length, 12);
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), directory, extra, end]));
}

const corpus: Record<string, () => Uint8Array<ArrayBuffer>> = {
  "zips in zips in zips": () => layers(3),
  "overlapping entries": () => overlapping(10_000),
  "zip64 of 2⁶⁰ bytes": () => lyingZip64(2n ** 60n),
  "zip64 of 2⁶³ bytes": () => lyingZip64(2n ** 63n),
  "a million entries": () =>
    rawZip(
      Array.from({ length: 1_000_000 }, (_, i) => ({
        name: `${i}.png`,
        stored: new Uint8Array(),
        method: 0,
      })),
    ),
  "a count that lies": () => {
    const bytes = Buffer.from(rawZip([picture]));
    bytes.writeUInt16LE(60_000, bytes.length - 12);
    bytes.writeUInt16LE(60_000, bytes.length - 14);
    return new Uint8Array(bytes);
  },
  "names in every encoding": () =>
    rawZip([
      { ...picture, name: Buffer.from([0x81, 0x40, 0x2e, 0x70, 0x6e, 0x67]) },
      { ...picture, name: Buffer.from([0x8e, 0xa2, 0xe9, 0x2e, 0x70, 0x6e, 0x67]) },
      { ...picture, name: Buffer.from([0xff, 0xfe, 0x2e, 0x70, 0x6e, 0x67]), flags: 0x800 },
      { ...picture, name: "e\u0301 \u202e🦊.png", flags: 0x800 },
    ]),
  "a bomb of 60 MB": () => rawZip([{ name: "bomb.png", stored: zeros, size: 60 * 2 ** 20 }]),
  "a bomb that says it is small": () => rawZip([{ name: "liar.png", stored: zeros, size: 5000 }]),
};

interface Opened {
  labels: string[];
  /** Why the rest was refused. */
  errors: unknown[];
  /** What the plan took, in seconds: when it is there, the drop was accepted or refused. */
  seconds: number;
}

/** Plans a zip as a drop and inflates what the plan lets through. */
async function opened(bytes: Uint8Array<ArrayBuffer>): Promise<Opened> {
  const begin = performance.now();
  const { plan, entries } = await planImport(["a.zip"], [{ path: "a.zip", file: new Blob([bytes]) }]);
  const seconds = (performance.now() - begin) / 1000;
  const errors: unknown[] = [];
  for (const { reason } of plan.refused) {
    expect(reason).not.toMatch(/undefined|TypeError|RangeError/);
    errors.push(new WeftError("refused", reason));
  }
  for (const entry of entries.values()) {
    try {
      expect((await inflate(entry)).size).toBeLessThanOrEqual(64 * 2 ** 20);
    } catch (error) {
      errors.push(error);
    }
  }
  return { labels: [...entries.keys()], errors, seconds };
}

/** Resident memory that `work` adds at most, in MiB, sampled as it runs. */
async function memoryOf(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
  await work();
  clearInterval(timer);
  return (Math.max(most, process.memoryUsage().rss) - before) / 2 ** 20;
}

function isWayOut(label: string): boolean {
  return /(^|\/)\.\.(\/|$)|^\/|\\|\0/.test(label);
}

describe("T-F3", () => {
  it.each(Object.entries(corpus))("%s", async (name, make) => {
    const bytes = make();
    let seconds = 0;
    const memory = await memoryOf(async () => {
      const { labels, errors, ...rest } = await opened(bytes);
      ({ seconds } = rest);
      expect(labels.filter(isWayOut)).toEqual([]);
      expect(errors.filter((error) => !(error instanceof WeftError))).toEqual([]);
    });
    process.stdout.write(
      `[measured] T-F3 ${name}: ${(bytes.length / 2 ** 20).toFixed(1)} MiB, ${seconds.toFixed(2)} s, ${memory.toFixed(0)} MiB more\n`,
    );
    expect(seconds).toBeLessThan(2);
    expect(memory).toBeLessThan(200);
  });

  it(`${mutations} mutated ones`, async () => {
    // With check sums: what a mutation leaves whole is read.
    const zip = await zipOf([
      ["10_a/a.png", Buffer.from("picture ".repeat(50))],
      ["10_a/a.txt", Buffer.from("caption")],
      ["b.jsonl", Buffer.from('{"file_name":"a.png","text":"b"}')],
    ]);
    expect((await opened(new Uint8Array(zip))).errors).toEqual([]);
    let seed = 1;
    const random = (below: number): number =>
      ((seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) >>> 8) % below;
    let slowest = 0;
    let refused = 0;
    for (let round = 0; round < mutations; round++) {
      const mutated = new Uint8Array(zip.subarray(0, random(5) === 0 ? random(zip.length) : zip.length));
      for (let change = 0; change <= random(4) && mutated.length > 0; change++)
        mutated[random(mutated.length)] = random(256);
      const begin = performance.now();
      const { labels, errors } = await opened(mutated);
      slowest = Math.max(slowest, performance.now() - begin);
      refused += errors.length > 0 ? 1 : 0;
      expect(labels.filter(isWayOut)).toEqual([]);
      expect(errors.filter((error) => !(error instanceof WeftError))).toEqual([]);
    }
    expect(refused).toBeLessThan(mutations);
    process.stdout.write(
      `[measured] T-F3 mutated: ${mutations}, refused in part or whole ${refused}, slowest ${slowest.toFixed(0)} ms\n`,
    );
    expect(slowest).toBeLessThan(2000);
  });
});
