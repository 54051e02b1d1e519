import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { openFileSource } from "../../../tools/lib/fileSource";
import { loadCase } from "../../../tools/verify/cases";
import { detectCheckpoint } from "../checkpoint/detect";
import { readTensor } from "../safetensors/tensor";
import { applyToBias, applyToWeight, mergeLoraDelta } from "./merge";
import { readLora, type LoadedModule, type LoraTensor } from "./read";

const random = (seed: number) => () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648 - 0.5;

function tensor(shape: number[], seed: number): LoraTensor {
  const next = random(seed);
  return { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next) };
}

describe("mergeLoraDelta equals plain loops", () => {
  test("3x3 convolution", () => {
    const [out, rank, inn] = [5, 3, 4];
    const down = tensor([rank, inn, 3, 3], 1);
    const up = tensor([out, rank, 1, 1], 2);
    const delta = mergeLoraDelta(down, up, 1.5, 0.5);
    for (let o = 0; o < out; o++) {
      for (let j = 0; j < inn * 9; j++) {
        let sum = 0;
        for (let r = 0; r < rank; r++)
          sum += (up.data[o * rank + r] ?? 0) * (down.data[r * inn * 9 + j] ?? 0);
        expect(delta[o * inn * 9 + j]).toBeCloseTo((sum * 0.5 * 1.5) / rank, 6);
      }
    }
  });

  test("Tucker", () => {
    const [out, r, s, inn] = [3, 2, 4, 5];
    const [down, mid, up] = [tensor([s, inn, 1, 1], 3), tensor([r, s, 3, 3], 4), tensor([out, r, 1, 1], 5)];
    const delta = mergeLoraDelta(down, up, null, 1, mid);
    for (let o = 0; o < out; o++)
      for (let i = 0; i < inn; i++)
        for (let k = 0; k < 9; k++) {
          let sum = 0;
          for (let a = 0; a < r; a++)
            for (let b = 0; b < s; b++)
              sum +=
                (up.data[o * r + a] ?? 0) *
                (mid.data[(a * s + b) * 9 + k] ?? 0) *
                (down.data[b * inn + i] ?? 0);
          expect(delta[(o * inn + i) * 9 + k]).toBeCloseTo(sum, 6);
        }
  });

  test("strength 0 changes nothing, no alpha means alpha = rank", () => {
    const [down, up] = [tensor([2, 3], 6), tensor([4, 2], 7)];
    expect(mergeLoraDelta(down, up, 2, 0).every((x) => x === 0)).toBe(true);
    expect(mergeLoraDelta(down, up, null, 1)).toEqual(mergeLoraDelta(down, up, 2, 1));
  });
});

const module = (kind: LoadedModule["kind"], tensors: Record<string, LoraTensor>): LoadedModule => ({
  name: "lora_unet_x",
  kind,
  target: {
    name: "lora_unet_x",
    part: "unet",
    checkpointKey: "x.weight",
    kind: "linear",
    inFeatures: 3,
    outFeatures: 4,
    block: "transformer",
  },
  alpha: null,
  tensors: new Map(Object.entries(tensors)),
});

test("kinds that cannot be applied are refused, never skipped", () => {
  const oft = module("oft", { oft_blocks: tensor([1], 1) });
  expect(() => applyToWeight(new Float32Array(12), oft, 1)).toThrow(/kind "oft"/);
});

test("a change of the wrong size is refused", () => {
  const full = module("full", { diff: tensor([5], 1) });
  expect(() => applyToWeight(new Float32Array(12), full, 1)).toThrow(/changes 5 values/);
});

test("bias changes", () => {
  const full = module("full", { diff_b: { shape: [2], data: Float32Array.of(1, 2) } });
  expect(applyToBias(Float32Array.of(1, 1), full, 0.5)).toEqual(Float32Array.of(1.5, 2));
  expect(applyToBias(Float32Array.of(1, 1), module("lora", {}), 0.5)).toEqual(Float32Array.of(1, 1));
});

/** The shared golden cases, where the checkout has them beside it; `merged.NAME` needs no GPU. */
const GOLDEN = process.env.WEFT_GOLDEN ?? path.resolve("../shared/golden");
const CASES = [
  "locon-0.9",
  "lycoris-dora-in-1.0",
  "lycoris-dora-out-0.7",
  "lycoris-full-0.5",
  "lycoris-locon-1.0",
  "lycoris-loha-0.8",
  "lycoris-lokr-0.9",
  "one-0.8",
  "sd2-0.8",
];

describe.skipIf(!existsSync(GOLDEN))("golden lora-apply: merged weights", () => {
  test.each(CASES)("%s", async (name) => {
    const c = await loadCase(path.join(GOLDEN, "lora-apply", name), GOLDEN);
    const golden = c.case as unknown as {
      model: string;
      params: { loras: { file: string; unet: number }[] };
    };
    const model = await openFileSource(path.join(GOLDEN, golden.model));
    const { config, tensors } = await detectCheckpoint(model);
    const errors: number[] = [];
    for (const [key, want] of await c.tensors()) {
      if (!key.startsWith("merged.")) continue;
      const [lora] = golden.params.loras;
      const source = await openFileSource(path.join(GOLDEN, lora?.file ?? ""));
      const { modules } = await readLora(source, config);
      await source.close();
      const found = modules.find((m) => `merged.${m.name}` === key);
      const info = tensors.get(found?.target.checkpointKey ?? "");
      if (!found || !info || !lora) throw new Error(`${key} not found`);
      const merged = applyToWeight(await readTensor(model, info, "f32"), found, lora.unet);
      const difference = Math.hypot(...merged.map((x, i) => x - (want.data[i] ?? Number.NaN)));
      errors.push(difference / Math.hypot(...Float64Array.from(want.data as Float32Array)));
    }
    await model.close();
    expect(errors.length).toBeGreaterThan(0);
    expect(Math.max(...errors)).toBeLessThan(1e-6);
  });
});
