import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diffusersFiles } from "../../tools/lib/diffusersFolder";
import { readPackedWeight } from "../engine/packedWeights";
import type { WeightSpec, WeightType } from "../engine/tensor";
import { packWeight, readWeight, weightTypeFor } from "../engine/weights";
import { detectBundle, singleFile, type Bundle } from "../formats/checkpoint/bundle";
import { diffusersFolder } from "../formats/checkpoint/diffusers";
import { readCheckpointTensor } from "../formats/checkpoint/tensor";
import { tinyConfig, tinyFile, tinyTensors } from "../formats/checkpoint/testing/tinyCheckpoint";
import { fromBlob, fromBytes } from "../formats/safetensors/source";
import { sha256 } from "hash-wasm";
import { weightPrecisions } from "../models/precisions";
import { configOf, openCachedModel, readIndex } from "./cachedModel";
import { importCheckpoint, type ImportHost, type ImportRequest } from "./importCheckpoint";
import { packedForm } from "./packing";
import { planImport } from "./plan";
import { MemoryFolder } from "./testing/memoryFolder";

const NAME = "model";
const config = tinyConfig("sd1");
const bytes = tinyFile(config);

async function requestFor(storage: WeightType, bundle?: Bundle): Promise<ImportRequest> {
  const whole = bundle ?? (await singleFile(fromBytes(bytes, "tiny.safetensors")));
  const { tensors } = await detectBundle(whole);
  const about = {
    title: whole.title,
    kind: "model" as const,
    family: "sd1",
    prediction: "epsilon" as const,
    parameters: 1,
    origin: { kind: "file" as const, name: whole.title },
  };
  return { bundle: whole, tensors, storage, about };
}

/** The text encoder alone, cut finely: what is interrupted many times should not take long. */
async function inManyChunks(): Promise<ImportRequest> {
  const request = await requestFor("q8");
  const tensors = new Map([...request.tensors].filter(([key]) => key.startsWith("cond_stage_model.")));
  return { ...request, tensors, chunkBytes: 100_000 };
}

const calm: ImportHost = { onProgress: () => undefined, throwIfCancelled: () => undefined, now: () => 0 };

/** An import that is cancelled once `done` bytes are in. */
const cancelledAfter = (done: number): ImportHost => {
  let seen = 0;
  return {
    ...calm,
    onProgress: (at) => (seen = at),
    throwIfCancelled: () => {
      if (seen >= done) throw new Error("cancelled");
    },
  };
};

async function run(folder: MemoryFolder, request: ImportRequest, host = calm) {
  const file = await folder.open(NAME);
  return importCheckpoint(request, file, host);
}

async function source(folder: MemoryFolder) {
  const blob = await folder.snapshot(NAME);
  return fromBlob(blob ?? new Blob(), NAME);
}

async function content(folder: MemoryFolder): Promise<Buffer> {
  const blob = await folder.snapshot(NAME);
  return Buffer.from((await blob?.arrayBuffer()) ?? new ArrayBuffer());
}

describe("what was imported is the model", () => {
  test.each<WeightType>(["f32", "f16", "q8", "q4"])(
    "%s: every tensor, packed as the engine packs it",
    async (storage) => {
      const folder = new MemoryFolder();
      const request = await requestFor(storage);
      const index = await run(folder, request);
      expect(index.sha256).toBe(await sha256(bytes));
      const model = await openCachedModel(await source(folder));
      expect(configOf(model)).toEqual(config);
      for (const [key, tensor] of request.tensors) {
        const spec = specFor(key, tensor.shape);
        const type = weightTypeFor(spec, storage);
        const original = {
          name: "m",
          shapeOf: () => tensor.shape,
          read: () => readCheckpointTensor(request.bundle.source, tensor),
        };
        const wanted = packWeight(await readWeight(original, spec), type);
        const packed = await readPackedWeight(model, spec, type);
        expect(packed && Buffer.compare(packed, wanted), key).toBe(0);
        if (storage !== "f32") continue;
        const values = await model.read(key);
        expect(
          Buffer.compare(Buffer.from(values.buffer), Buffer.from((await original.read()).buffer)),
          key,
        ).toBe(0);
      }
    },
  );

  test("q, k and v in one matmul are put together plane by plane", async () => {
    const folder = new MemoryFolder();
    const request = await requestFor("q8");
    await run(folder, request);
    const model = await openCachedModel(await source(folder));
    const block = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.";
    const keys = ["to_q", "to_k", "to_v"].map((leaf) => `${block}${leaf}.weight`);
    const spec: WeightSpec = { keys, layout: "matrix", shape: [3 * 64, 64] };
    const original = {
      name: "m",
      shapeOf: (key: string) => request.tensors.get(key)?.shape,
      read: async (key: string) => {
        const tensor = request.tensors.get(key);
        return tensor ? readCheckpointTensor(request.bundle.source, tensor) : new Float32Array();
      },
    };
    expect(await readPackedWeight(model, spec, "q8")).toEqual(
      packWeight(await readWeight(original, spec), "q8"),
    );
    expect(await readPackedWeight(model, spec, "q4"), "another type has to be packed again").toBeUndefined();
  });

  test("a diffusers folder: stacked and transposed tensors, and one hash for all files", async () => {
    const sdxl = tinyConfig("sdxl");
    const files = diffusersFiles(sdxl, tinyTensors(sdxl), { shards: 2 });
    const bundle = await diffusersFolder(
      "folder",
      files.map((file) => ({ path: file.path, source: fromBytes(file.bytes, file.path) })),
    );
    const folder = new MemoryFolder();
    const request = await requestFor("f32", bundle);
    const index = await run(folder, request);
    expect(index.files).toHaveLength(5);
    const model = await openCachedModel(await source(folder));
    for (const [key, tensor] of request.tensors)
      expect(
        Buffer.compare(
          Buffer.from((await model.read(key)).buffer),
          Buffer.from((await readCheckpointTensor(bundle.source, tensor)).buffer),
        ),
        key,
      ).toBe(0);
  });
});

const specFor = (key: string, shape: readonly number[]): WeightSpec => {
  const pad = (n: number) => 4 * Math.ceil(n / 4);
  if (shape.length < 2) return { keys: [key], layout: "vector", shape: [shape[0] ?? 1] };
  const [rows = 0, inputs = 0] = shape;
  if (shape.length === 4 && shape[2] === 3)
    return { keys: [key], layout: "conv3x3", shape: [rows, 9, pad(inputs)] };
  return { keys: [key], layout: /embedding/.test(key) ? "table" : "matrix", shape: [rows, pad(inputs)] };
};

describe("the plan of an import", () => {
  test("goes through every byte once, in order, and through every row of every tensor", async () => {
    const { bundle, tensors } = await requestFor("q8");
    const property = fc.property(fc.integer({ min: 1, max: 200_000 }), (chunkBytes) => {
      const chunks = planImport(
        bundle.files,
        tensors,
        (key, { shape }) => packedForm(key, shape, "q8"),
        chunkBytes,
      );
      let at = 0;
      const rows = new Map<string, number>();
      for (const { begin, end, pieces } of chunks) {
        if (begin !== at || end <= begin) return false;
        at = end;
        for (const piece of pieces) {
          if (piece.begin < begin || piece.end > end || piece.row !== (rows.get(piece.key) ?? 0))
            return false;
          rows.set(piece.key, piece.row + piece.rows);
        }
      }
      const complete = [...tensors].every(([key, { shape }]) => rows.get(key) === (shape[0] ?? 1));
      return at === bundle.source.size && complete;
    });
    fc.assert(property, { numRuns: 30 });
  });
});

describe("T-C3, T-C5: an import that is interrupted goes on, or begins again, and is never half a model", () => {
  test("cancelled, then taken up: the same file, nothing done twice", async () => {
    const request = await inManyChunks();
    const whole = new MemoryFolder();
    await run(whole, request);
    const folder = new MemoryFolder();
    await expect(run(folder, request, cancelledAfter(request.bundle.source.size / 2))).rejects.toThrow(
      "cancelled",
    );
    expect(await readIndex(await source(folder))).toBeUndefined();
    let from = -1;
    await run(folder, request, { ...calm, onProgress: (_, resumedFrom) => (from = resumedFrom) });
    expect(from).toBeGreaterThanOrEqual(request.bundle.source.size / 2);
    expect((await content(folder)).equals(await content(whole))).toBe(true);
  });

  test("power cut with any part of the last writes lost", async () => {
    const request = await inManyChunks();
    const whole = new MemoryFolder();
    await run(whole, request);
    const wanted = await content(whole);
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: whole.calls }),
      fc.nat(),
      async (failAt, seed) => {
        const folder = new MemoryFolder();
        folder.failAt = failAt;
        await expect(run(folder, request)).rejects.toMatchObject({ code: "storage-failed" });
        folder.crash((block) => ((block * 2654435761 + seed) >>> 7) % 3 > 0);
        const index = await readIndex(await source(folder));
        if (!index) await run(folder, request);
        expect((await content(folder)).equals(wanted)).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 12 });
  });

  test("another storage, or another file of the same size, begins again", async () => {
    const folder = new MemoryFolder();
    const first = await inManyChunks();
    await expect(run(folder, first, cancelledAfter(1))).rejects.toThrow("cancelled");
    const index = await run(folder, await requestFor("f16"));
    expect(index.storage).toBe("f16");
  });
});

test("T-S1: the disk is full: said so, the rest stays readable, and it goes on when there is room", async () => {
  const folder = new MemoryFolder();
  const request = await inManyChunks();
  folder.quota = 50_000;
  await expect(run(folder, request)).rejects.toMatchObject({ code: "storage-full" });
  expect(await readIndex(await source(folder))).toBeUndefined();
  folder.quota = Number.POSITIVE_INFINITY;
  expect((await run(folder, request)).sha256).toMatch(/^[0-9a-f]{64}$/);
});

test("T-S6: wrong bytes are found by the hash, and nothing of them is kept", async () => {
  const folder = new MemoryFolder();
  const request = { ...(await requestFor("q8")), expected: ["0".repeat(64)] };
  await expect(run(folder, request)).rejects.toMatchObject({ code: "wrong-content" });
  expect((await content(folder)).byteLength).toBe(0);
});

test("a kept copy that rotted is told when the tensor is read", async () => {
  const folder = new MemoryFolder();
  const index = await run(folder, await requestFor("q8"));
  const [tensor] = index.tensors;
  folder.rot(NAME, tensor?.pieces[0]?.[0] ?? 0);
  const model = await openCachedModel(await source(folder));
  await expect(model.read(tensor?.key ?? "")).rejects.toMatchObject({ code: "cache-damaged" });
});

test("a VAE of its own replaces the model's", async () => {
  const folder = new MemoryFolder();
  await run(folder, await requestFor("f32"));
  const other = new MemoryFolder();
  const request = await requestFor("f32", await singleFile(fromBytes(tinyFile(config, "F16", 7), "vae")));
  const tensors = new Map([...request.tensors].filter(([key]) => key.startsWith("first_stage_model.")));
  await run(other, { ...request, tensors });
  const vae = await openCachedModel(await source(other));
  const [model, plain] = [
    await openCachedModel(await source(folder), vae),
    await openCachedModel(await source(folder)),
  ];
  const key = "first_stage_model.decoder.conv_in.weight";
  expect(await model.read(key)).toEqual(await vae.read(key));
  expect(await model.read(key)).not.toEqual(await plain.read(key));
  const unet = "model.diffusion_model.out.2.weight";
  expect(await model.read(unet)).toEqual(await plain.read(unet));
});

test("what the graphs ask to keep larger is kept larger, so that nothing is packed twice", async () => {
  const precisions = weightPrecisions(config);
  const folder = new MemoryFolder();
  const index = await run(folder, { ...(await requestFor("q4")), precisions });
  const types = new Map(index.tensors.map(({ key, type }) => [key, type]));
  expect(new Set(types.values())).toEqual(new Set(["f32", "f16", "q8", "q4"]));
  const exact = [...precisions].flatMap(([key, precision]) =>
    precision === "exact" ? [types.get(key)] : [],
  );
  expect(exact.length).toBeGreaterThan(0);
  expect(exact.every((type) => type === "f16" || type === "f32")).toBe(true);
});
