import { describe, expect, test } from "vitest";
import { fullSizeConfig } from "../checkpoint/fullSize";
import type { SafetensorsHeader } from "../safetensors/header";
import { readSafetensorsHeader } from "../safetensors/header";
import { fromBytes } from "../safetensors/source";
import { writeSafetensors } from "../safetensors/write";
import { matchLora } from "./match";
import { parseLora } from "./parse";
import { readLora } from "./read";

const BASE = fullSizeConfig("sd1");
const Q = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
const K2 = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
const CONV = "lora_unet_down_blocks_0_resnets_0_conv1";

/** A file with float32 tensors of the given shapes, filled with `value`. */
function fileOf(shapes: Record<string, number[]>, value = 1): Uint8Array {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value);
    return { name, dtype: "F32" as const, shape, bytes: new Uint8Array(values.buffer) };
  });
  return writeSafetensors(tensors, new Map());
}

const headerOf = (shapes: Record<string, number[]>): Promise<SafetensorsHeader> =>
  readSafetensorsHeader(fromBytes(fileOf(shapes), "l.safetensors"));

const pair = (name: string, down: number[], up: number[]) => ({
  [`${name}.lora_down.weight`]: down,
  [`${name}.lora_up.weight`]: up,
});
const GOOD = { ...pair(Q, [4, 320], [320, 4]), [`${Q}.alpha`]: [] };

async function matched(shapes: Record<string, number[]>, base = BASE) {
  return matchLora(await headerOf(shapes), base, "l.safetensors");
}

describe("accepted", () => {
  test("a plain pair, with and without alpha", async () => {
    expect((await matched(GOOD)).modules.map((m) => m.target.name)).toEqual([Q]);
    expect((await matched(pair(Q, [4, 320], [320, 4]))).warnings).toEqual([]);
  });

  test("4-D tensors on a Linear and 3x3 with Tucker core", async () => {
    await expect(matched(pair(Q, [4, 320, 1, 1], [320, 4, 1, 1]))).resolves.toBeDefined();
    await expect(matched(pair(CONV, [4, 320, 3, 3], [320, 4, 1, 1]))).resolves.toBeDefined();
    const tucker = {
      ...pair(CONV, [4, 320, 1, 1], [320, 3, 1, 1]),
      [`${CONV}.lora_mid.weight`]: [3, 4, 3, 3],
    };
    await expect(matched(tucker)).resolves.toBeDefined();
  });

  test("unknown modules and loose tensors are warned about", async () => {
    const { modules, warnings } = await matched({
      ...GOOD,
      ...pair("lora_unet_down_blocks_9_x", [4, 4], [4, 4]),
      extra: [2],
    });
    expect(modules).toHaveLength(1);
    expect(warnings.map((w) => w.code)).toEqual(["unknown-key", "unknown-key"]);
    expect(warnings[0]?.message).toContain("lora_unet_down_blocks_9_x");
  });
});

describe("refused", () => {
  test.each<[string, Record<string, number[]>, string]>([
    ["ranks that differ", pair(Q, [4, 320], [320, 5]), "shape"],
    ["wrong input size", pair(Q, [4, 321], [320, 4]), "shape"],
    ["rank 0", pair(Q, [0, 320], [320, 0]), "shape"],
    ["up missing", { [`${Q}.lora_down.weight`]: [4, 320] }, "missing-tensors"],
    ["SDXL names", pair("lora_te1_text_model_encoder_layers_0_mlp_fc1", [4, 768], [3072, 4]), "wrong-base"],
    ["SD2's text width", pair(K2, [4, 1024], [320, 4]), "wrong-base"],
    ["Flux", pair("lora_unet_double_blocks_0_img_attn_qkv", [4, 8], [8, 4]), "wrong-base"],
    ["no module known", pair("lora_unet_something_else", [4, 8], [8, 4]), "wrong-base"],
    ["a base model", { "model.diffusion_model.out.2.bias": [4] }, "wrong-base"],
    ["an embedding", { emb_params: [2, 768] }, "wrong-base"],
    ["diffusers names", { "unet.x.to_q.lora_A.weight": [4, 4] }, "unknown-key"],
    ["nothing known", { x: [1] }, "unknown-key"],
  ])("%s", async (_, shapes, code) => {
    await expect(matched(shapes)).rejects.toMatchObject({
      code,
      message: expect.stringContaining("l.safetensors"),
    });
  });

  test("an SD1 LoRA on SDXL", async () => {
    const te = pair("lora_te_text_model_encoder_layers_0_mlp_fc1", [4, 768], [3072, 4]);
    await expect(matched(te, fullSizeConfig("sdxl"))).rejects.toMatchObject({ code: "wrong-base" });
  });

  test("values that are no numbers", async () => {
    await expect(readLora(fromBytes(fileOf(GOOD, NaN), "l"), BASE)).rejects.toMatchObject({ code: "nan" });
  });
});

test("readLora gives float32 values, alpha apart", async () => {
  const { modules } = await readLora(fromBytes(fileOf(GOOD, 3), "l"), BASE);
  expect(modules).toHaveLength(1);
  expect(modules[0]).toMatchObject({ name: Q, kind: "lora", alpha: 3 });
  expect([...(modules[0]?.tensors.keys() ?? [])]).toEqual(["lora_down.weight", "lora_up.weight"]);
});

test("kinds are told by their tensor names", async () => {
  const header = await headerOf({
    "lora_unet_a.hada_w1_a": [1],
    "lora_unet_b.lokr_w1": [1],
    "lora_unet_c.diff": [1],
    "lora_unet_d.w_norm": [1],
    "lora_unet_e.oft_blocks": [1],
    "lora_unet_f.a1.weight": [1],
    "lora_unet_g.on_input": [1],
    "lora_unet_h.what": [1],
    "lora_unet_i.lora_down.weight": [1],
    "lora_unet_i.dora_scale": [1],
  });
  const { entries } = parseLora(header);
  const kinds = [...entries.values()].map(({ kind, dora }) => (dora ? `${kind}+dora` : kind));
  expect(kinds.sort()).toEqual([
    "full",
    "glora",
    "ia3",
    "loha",
    "lokr",
    "lora+dora",
    "norm",
    "oft",
    "unknown",
  ]);
});
