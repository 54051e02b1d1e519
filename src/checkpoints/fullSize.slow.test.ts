/** The import of a real-size checkpoint: how fast, and with how much memory. */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { detectBundle, singleFile } from "../formats/checkpoint/bundle";
import { fullSizeConfig } from "../formats/checkpoint/fullSize";
import { checkpointLayout } from "../formats/checkpoint/layout";
import type { ByteSource } from "../formats/safetensors/source";
import type { RandomFile } from "../storage/randomFile";
import { importCheckpoint } from "./importCheckpoint";

const MOST_MEMORY = 256 * 2 ** 20;

/** SD1.5 in f16 with a repeating pattern as values: 2.1 GB that need no disk. */
function imagined(): ByteSource {
  let at = 0;
  const entries = [...checkpointLayout(fullSizeConfig("sd1"))].map(([key, { shape }]) => {
    const begin = at;
    at += 2 * shape.reduce((product, size) => product * size, 1);
    return `${JSON.stringify(key)}:{"dtype":"F16","shape":[${shape.join(",")}],"data_offsets":[${begin},${at}]}`;
  });
  const header = new TextEncoder().encode(`{${entries.join(",")}}`);
  const head = new Uint8Array(8 + header.byteLength);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.byteLength), true);
  head.set(header, 8);
  return {
    name: "imagined.safetensors",
    size: head.byteLength + at,
    read: (offset, length) => {
      const bytes = new Uint8Array(length).fill(0x2e);
      if (offset < head.byteLength) bytes.set(head.subarray(offset, offset + length));
      return Promise.resolve(bytes);
    },
  };
}

/** A file on this machine's disk. */
function onDisk(): RandomFile {
  const path = join(mkdtempSync(join(tmpdir(), "weft-import-")), "model");
  const file = openSync(path, "w+");
  return {
    size: () => fstatSync(file).size,
    read: (at, length) => {
      const bytes = new Uint8Array(length);
      return bytes.slice(0, readSync(file, bytes, 0, length, at));
    },
    write: (at, bytes) => void writeSync(file, bytes, 0, bytes.byteLength, at),
    truncate: (to) => ftruncateSync(file, to),
    flush: () => fdatasyncSync(file),
    close: () => {
      closeSync(file);
      rmSync(path);
    },
  };
}

test("2.1 GB to 8 bits within 256 MB of memory", async () => {
  const bundle = await singleFile(imagined());
  const { tensors } = await detectBundle(bundle);
  const file = onDisk();
  const before = process.memoryUsage().rss;
  const began = performance.now();
  let most = 0;
  const about = {
    ...{
      title: "imagined",
      kind: "model" as const,
      family: "sd1",
      prediction: "epsilon" as const,
      parameters: 0,
    },
    origin: { kind: "file" as const, name: "imagined" },
  };
  const index = await importCheckpoint({ bundle, tensors, storage: "q8", about }, file, {
    onProgress: () => (most = Math.max(most, process.memoryUsage().rss - before)),
    throwIfCancelled: () => undefined,
    now: () => 0,
  });
  file.close();
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${(bundle.source.size / 1e6 / seconds).toFixed(0)} MB/s, ${(most / 2 ** 20).toFixed(0)} MiB more at most`,
  );
  expect(index.tensors.length).toBe(tensors.size);
  expect(most).toBeLessThan(MOST_MEMORY);
});
