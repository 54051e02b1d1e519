import { describe, expect, test } from "vitest";
import { detectBundle, singleFile } from "../formats/checkpoint/bundle";
import { tinyConfig, tinyFile } from "../formats/checkpoint/testing/tinyCheckpoint";
import { fromBytes } from "../formats/safetensors/source";
import type { ImportRequest } from "./importCheckpoint";
import { fingerprint, Library, type Locks } from "./library";
import { MemoryFolder } from "./testing/memoryFolder";

/** Web Locks as the specification has them, within this process. */
class TestLocks implements Locks {
  readonly #held = new Map<string, Promise<unknown>>();
  async exclusive<T>(name: string, work: () => Promise<T>, onWait: () => void): Promise<T> {
    const before = this.#held.get(name);
    if (before) onWait();
    const mine = (before ?? Promise.resolve()).then(work, work);
    const settled = mine.catch(() => undefined);
    this.#held.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.#held.get(name) === settled) this.#held.delete(name);
    }
  }
  async ifFree<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    return this.#held.has(name) ? undefined : this.exclusive(name, work, () => undefined);
  }
}

const config = tinyConfig("sd1");

const files = new Map([1, 2].map((seed) => [seed, tinyFile(config, "F16", seed)]));

async function request(
  seed: 1 | 2 = 1,
  title = "tiny.safetensors",
): Promise<ImportRequest & { identity: string }> {
  const bundle = await singleFile(fromBytes(files.get(seed) ?? new Uint8Array(), title));
  const { tensors } = await detectBundle(bundle);
  const text = new Map([...tensors].filter(([key]) => key.startsWith("cond_stage_model.")));
  const about = {
    ...{ title, kind: "model" as const, family: "sd1", prediction: "epsilon" as const, parameters: 5 },
    origin: { kind: "file" as const, name: title },
  };
  return {
    bundle,
    tensors: text,
    storage: "q8",
    about,
    chunkBytes: 200_000,
    identity: await fingerprint(bundle),
  };
}

const host = {
  onProgress: () => undefined,
  onWait: () => undefined,
  throwIfCancelled: () => undefined,
  now: () => 1,
};
const stopping = {
  ...host,
  throwIfCancelled: () => {
    if (++stopping.calls > 4) throw new Error("cancelled");
  },
  calls: 0,
};

describe("the library", () => {
  test("lists what is complete with its facts, and what was interrupted with how far it came", async () => {
    const folder = new MemoryFolder();
    const library = new Library(folder, new TestLocks());
    const first = await request();
    const entry = await library.import(first.identity, first, host);
    expect(entry).toMatchObject({
      state: "complete",
      title: "tiny.safetensors",
      storage: "q8",
      family: "sd1",
    });
    const second = await request(2, "other.safetensors");
    stopping.calls = 0;
    await expect(library.import(second.identity, second, stopping)).rejects.toThrow("cancelled");
    const [one, other] = await library.list();
    expect(new Set([one?.state, other?.state])).toEqual(new Set(["complete", "partial"]));
    const partial = one?.state === "partial" ? one : other;
    expect(partial?.doneBytes).toBeGreaterThan(0);
    expect(partial?.doneBytes).toBeLessThan(second.bundle.source.size);
  });

  test("two tabs importing the same file: one waits, both have the model, one file lies there", async () => {
    const folder = new MemoryFolder();
    const locks = new TestLocks();
    const [a, b] = [new Library(folder, locks), new Library(folder, locks)];
    const model = await request();
    let waited = 0;
    const entries = await Promise.all([
      a.import(model.identity, model, host),
      b.import(model.identity, model, { ...host, onWait: () => waited++ }),
    ]);
    expect(entries[1]).toEqual(entries[0]);
    expect(waited).toBe(1);
    expect(await folder.names()).toHaveLength(1);
  });

  test("the same content from another place is kept once", async () => {
    const folder = new MemoryFolder();
    const library = new Library(folder, new TestLocks());
    const model = await request();
    const first = await library.import(model.identity, model, host);
    const again = await library.import("another-place", model, host);
    expect(again.name).toBe(first.name);
    expect(await folder.names()).toEqual([first.name]);
  });

  test("a model that is being imported cannot be deleted, one that is not can", async () => {
    const folder = new MemoryFolder();
    const library = new Library(folder, new TestLocks());
    const model = await request();
    let begun = (): void => undefined;
    const promise = new Promise<void>((resolve) => (begun = resolve));
    // Tried while the first chunk is under way.
    const deleting = promise.then(() => library.remove(`${model.identity}.q8.weft`));
    const importing = library.import(model.identity, model, { ...host, onProgress: () => begun() });
    await expect(deleting).rejects.toMatchObject({ code: "model-in-use" });
    const { name } = await importing;
    await library.remove(name);
    expect(await library.list()).toEqual([]);
  });

  test("T-S1: no room: nothing half is listed as good, the older model stays and opens", async () => {
    const folder = new MemoryFolder();
    const library = new Library(folder, new TestLocks());
    const old = await request();
    const entry = await library.import(old.identity, old, host);
    folder.quota = entry.bytes + 60_000;
    const next = await request(2, "other.safetensors");
    await expect(library.import(next.identity, next, host)).rejects.toMatchObject({ code: "storage-full" });
    const complete = (await library.list()).filter(({ state }) => state === "complete");
    expect(complete.map(({ name }) => name)).toEqual([entry.name]);
  });

  test("the same file has the same fingerprint wherever it lies, another one does not", async () => {
    const [a, b, c] = [await request(1, "a"), await request(1, "b"), await request(2, "a")];
    expect(a.identity).toBe(b.identity);
    expect(a.identity).not.toBe(c.identity);
  });
});
