import { afterEach, beforeEach, expect, test } from "vitest";
import { startHub, type Fault, type HubContents, type StandIn } from "../../../tools/lib/hubServer";
import { MemoryFolder } from "../../checkpoints/testing/memoryFolder";
import { KeptFiles } from "./keptFiles";
import { download, hubServer, type Asking } from "./server";

const partBytes = 2 ** 16;
const repo = "someone/tagger";
const source = { repo, revision: "main" };
const graph = Uint8Array.from({ length: 2.5 * partBytes }, (_, i) => (i * 31 + (i >> 8)) & 255);
const files = new Map([
  ["model.onnx", graph],
  ["selected_tags.csv", new TextEncoder().encode("tag_id,name")],
]);

let hub: StandIn;
let folder: MemoryFolder;
let kept: KeptFiles;

beforeEach(() => {
  folder = new MemoryFolder();
  kept = new KeptFiles(folder, partBytes);
});
afterEach(() => hub.close());

async function serve(contents: Partial<HubContents> = {}): Promise<void> {
  hub = await startHub({ repo, files, ...contents });
}

function asking(change: Partial<Asking> = {}): Asking {
  return { fetch: hub.fetch, signal: new AbortController().signal, onBytes: () => undefined, ...change };
}

/** Compared as a whole: `toEqual` goes through millions of bytes one by one. */
async function isKept(path: string, expected: Uint8Array): Promise<boolean> {
  const file = await kept.read(path);
  return file !== undefined && Buffer.from(await file.arrayBuffer()).equals(expected);
}

test("a cut connection is taken up again", async () => {
  const faults: Record<number, Fault> = { 3: "disconnect" };
  await serve({ fault: (n) => faults[n] });
  await download(kept, await hubServer(source, kept, hub.fetch), "model.onnx", asking());
  expect(await isKept("model.onnx", graph)).toBe(true);
});

test("a download that was stopped goes on later, and is no file until then", async () => {
  await serve();
  const abort = new AbortController();
  const onBytes = (_: string, done: number): void => {
    if (done > 0) abort.abort();
  };
  const server = await hubServer(source, kept, hub.fetch);
  const stopped = download(kept, server, "model.onnx", asking({ signal: abort.signal, onBytes }));
  await expect(stopped).rejects.toThrow(/abort/i);
  expect(await kept.read("model.onnx")).toBeUndefined();
  expect(await kept.paths()).not.toContain("model.onnx");

  const before = hub.sent;
  await download(kept, server, "model.onnx", asking());
  expect(await isKept("model.onnx", graph)).toBe(true);
  expect(hub.sent - before).toBeLessThan(graph.byteLength - partBytes + 2);
});

test("another version of the file begins anew", async () => {
  await serve({ fault: (n) => (n === 3 ? "broken" : undefined) });
  const server = await hubServer(source, kept, hub.fetch);
  const abort = new AbortController();
  const onBytes = (_: string, done: number): void => {
    if (done > 0) abort.abort();
  };
  await download(kept, server, "model.onnx", asking({ signal: abort.signal, onBytes })).catch(
    () => undefined,
  );
  await hub.close();

  const changed = graph.map((byte) => byte ^ 1);
  await serve({ files: new Map([["model.onnx", changed]]) });
  const other = new KeptFiles(folder, partBytes);
  await download(other, { ...server, sha256: () => undefined }, "model.onnx", asking());
  expect(await isKept("model.onnx", changed)).toBe(true);
});

test("bytes that are not the hub's are not kept", async () => {
  await serve({ fault: (n) => (n === 2 ? "corrupt" : undefined) });
  const server = await hubServer(source, kept, hub.fetch);
  await expect(download(kept, server, "model.onnx", asking())).rejects.toMatchObject({
    code: "wrong-content",
  });
  expect(await kept.read("model.onnx")).toBeUndefined();
  await download(kept, server, "model.onnx", asking());
  expect(await isKept("model.onnx", graph)).toBe(true);
});

test("the hub is asked once what there is, and not again without a network", async () => {
  await serve();
  await hubServer(source, kept, hub.fetch);
  const offline = (): Promise<Response> => Promise.reject(new TypeError("Failed to fetch"));
  const server = await hubServer(source, kept, offline);
  expect([server.has("model.onnx"), server.has("onnx/model_q4.onnx")]).toEqual([true, false]);
  await expect(download(kept, server, "none.onnx", asking())).rejects.toMatchObject({
    code: "model-file-missing",
  });
});

test("a full disk is said, and what came is used when there is room", async () => {
  await serve();
  folder.quota = 1.5 * partBytes;
  const server = await hubServer(source, kept, hub.fetch);
  await expect(download(kept, server, "model.onnx", asking())).rejects.toMatchObject({
    code: "storage-full",
  });
  folder.quota = Number.POSITIVE_INFINITY;
  const before = hub.sent;
  await download(kept, server, "model.onnx", asking());
  expect(await isKept("model.onnx", graph)).toBe(true);
  expect(hub.sent - before).toBeLessThan(graph.byteLength - partBytes + 2);
});

test("a server that knows no ranges sends the whole", async () => {
  await serve({ fault: () => "whole" });
  await download(kept, await hubServer(source, kept, hub.fetch), "model.onnx", asking());
  expect(await isKept("model.onnx", graph)).toBe(true);
});

test("what is there counts as part of a model until all of it is, and its pin not at all", async () => {
  await serve();
  const server = await hubServer(source, kept, hub.fetch);
  expect([await kept.bytes(), await kept.isPartial()]).toEqual([0, false]);
  const abort = new AbortController();
  const onBytes = (_: string, done: number): void => {
    if (done > 0) abort.abort();
  };
  await expect(
    download(kept, server, "model.onnx", asking({ signal: abort.signal, onBytes })),
  ).rejects.toThrow(/abort/i);
  expect([await kept.bytes(), await kept.isPartial()]).toEqual([partBytes, true]);
  await download(kept, server, "model.onnx", asking());
  expect([await kept.bytes(), await kept.isPartial()]).toEqual([graph.byteLength, false]);
});
