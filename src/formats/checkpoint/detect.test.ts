import { describe, expect, test } from "vitest";
import { TensorFileError } from "../safetensors/errors";
import type { SafetensorsHeader, TensorInfo } from "../safetensors/header";
import { fromBytes } from "../safetensors/source";
import { writeSafetensors } from "../safetensors/write";
import type { CheckpointConfig, FamilyName } from "./config";
import { detectCheckpoint, detectFromHeader } from "./detect";
import { fullSizeConfig } from "./fullSize";
import { parseConfigHints } from "./hints";
import { checkpointLayout } from "./layout";

/** A header with exactly the tensors of a configuration; only shapes matter here. */
function headerOf(config: CheckpointConfig, metadata: Record<string, string> = {}): SafetensorsHeader {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { shape }] of checkpointLayout(config)) tensors.set(name, info(name, shape));
  return { tensors, metadata: new Map(Object.entries(metadata)), dataStart: 0 };
}

const info = (name: string, shape: readonly number[]): TensorInfo => ({
  name,
  dtype: "F16",
  shape,
  begin: 0,
  end: 0,
});

/** The same header with some tensors replaced (null: removed). */
function changed(header: SafetensorsHeader, changes: Record<string, number[] | null>): SafetensorsHeader {
  const tensors = new Map(header.tensors);
  for (const [name, shape] of Object.entries(changes)) {
    if (shape) tensors.set(name, info(name, shape));
    else tensors.delete(name);
  }
  return { ...header, tensors };
}

function without(header: SafetensorsHeader, prefix: string): SafetensorsHeader {
  return { ...header, tensors: new Map([...header.tensors].filter(([name]) => !name.startsWith(prefix))) };
}

function renamed(header: SafetensorsHeader, rename: (name: string) => string): SafetensorsHeader {
  return {
    ...header,
    tensors: new Map(
      [...header.tensors.values()].map(({ name, shape }) => [rename(name), info(rename(name), shape)]),
    ),
  };
}

function refusal(header: SafetensorsHeader): TensorFileError {
  try {
    detectFromHeader(header, "m.safetensors");
  } catch (error) {
    if (error instanceof TensorFileError) return error;
    throw error;
  }
  throw new Error("not refused");
}

const SD1 = headerOf(fullSizeConfig("sd1"));

describe("configurations are read off shapes", () => {
  test.each<FamilyName>(["sd1", "sd2", "sdxl"])("%s at full size", (family) => {
    const config = fullSizeConfig(family);
    expect(detectFromHeader(headerOf(config), "m").config).toEqual(config);
  });

  test("parameter counts are those of the published SD 1.5", () => {
    const { parts } = detectFromHeader(SD1, "m");
    expect(parts.get("unet")).toEqual({ tensors: 686, parameters: 859_520_964 });
    expect(parts.get("vae")).toEqual({ tensors: 248, parameters: 83_653_863 });
    expect(parts.get("text")).toEqual({ tensors: 196, parameters: 123_060_480 });
  });

  test("what shapes cannot tell comes from the file's own description", () => {
    const config = fullSizeConfig("sd1");
    const hints = JSON.stringify({
      prediction: "v",
      unet: { num_heads: 4, norm_groups: 16 },
      text: { heads: 6, activation: "gelu" },
      vae: { norm_groups: 8, scaling_factor: 0.5 },
    });
    const found = detectFromHeader(headerOf(config, { config: hints }), "m");
    expect(found.predictionFrom).toBe("config");
    expect(found.config).toEqual({
      ...config,
      prediction: "v",
      unet: { ...config.unet, numHeads: 4, normGroups: 16 },
      text: { ...config.text, heads: 6, activation: "gelu" },
      vae: { ...config.vae, normGroups: 8, scalingFactor: 0.5 },
    });
  });

  test("one residual block per level, three levels, odd depths", () => {
    const config = fullSizeConfig("sd1");
    config.unet = {
      ...config.unet,
      channels: [64, 128, 128],
      resBlocks: 1,
      transformerDepth: [0, 1, 2],
      transformerDepthMiddle: 3,
    };
    config.vae = { ...config.vae, chMult: [1, 2, 2], resBlocks: 1 };
    expect(detectFromHeader(headerOf(config), "m").config).toEqual(config);
  });

  test("text encoder keys without their text_model level, VAE attention stored as Linear", () => {
    const header = renamed(SD1, (name) => name.replace("transformer.text_model.", "transformer."));
    const key = "first_stage_model.encoder.mid.attn_1.q.weight";
    const found = detectFromHeader(changed(header, { [key]: [512, 512] }), "m");
    expect(found.tensors.get(key)?.shape).toEqual([512, 512, 1, 1]);
    expect(found.tensors.has("cond_stage_model.transformer.text_model.final_layer_norm.bias")).toBe(true);
    expect(found.ignoredKeys).toEqual([]);
  });

  test("extra keys are listed, not refused", () => {
    const header = changed(SD1, { betas: [1000], "model_ema.decay": [], "some.unknown": [3] });
    expect(detectFromHeader(header, "m").ignoredKeys).toEqual(["betas", "model_ema.decay", "some.unknown"]);
  });

  test("prediction from metadata and from SDXL's marker key", () => {
    const metadata = { "modelspec.prediction_type": "v" };
    expect(detectFromHeader(headerOf(fullSizeConfig("sd1"), metadata), "m").config.prediction).toBe("v");
    const marked = changed(headerOf(fullSizeConfig("sdxl")), { v_pred: [0] });
    expect(detectFromHeader(marked, "m")).toMatchObject({
      predictionFrom: "marker",
      config: { prediction: "v" },
    });
  });
});

describe("refusals say what is wrong", () => {
  const UNET = "model.diffusion_model.";
  const cases: [name: string, header: SafetensorsHeader, code: string, message: RegExp][] = [
    ["no VAE", without(SD1, "first_stage_model."), "missing-tensors", /contains no VAE/],
    ["no text encoder", without(SD1, "cond_stage_model."), "missing-tensors", /contains no text encoder/],
    [
      "one tensor missing",
      changed(SD1, { [`${UNET}output_blocks.5.1.proj_out.bias`]: null }),
      "missing-tensors",
      /output_blocks\.5\.1\.proj_out\.bias/,
    ],
    [
      "half the UNet missing",
      without(SD1, `${UNET}output_blocks.`),
      "missing-tensors",
      /lacks 384 tensors: .*output_blocks\.0\..* and 381 more/,
    ],
    [
      "transposed weight",
      changed(SD1, { [`${UNET}output_blocks.5.1.transformer_blocks.0.ff.net.0.proj.weight`]: [1280, 10240] }),
      "shape",
      /\[1280, 10240\] where \[10240, 1280\] belongs/,
    ],
    [
      "inpainting",
      changed(SD1, { [`${UNET}input_blocks.0.0.weight`]: [320, 9, 3, 3] }),
      "wrong-base",
      /inpainting/,
    ],
    [
      "a LoRA",
      {
        ...SD1,
        tensors: new Map([["lora_unet_x.lora_down.weight", info("lora_unet_x.lora_down.weight", [4, 4])]]),
      },
      "wrong-base",
      /a LoRA/,
    ],
    [
      "an embedding",
      { ...SD1, tensors: new Map([["emb_params", info("emb_params", [4, 768])]]) },
      "wrong-base",
      /textual inversion/,
    ],
    [
      "Flux",
      {
        ...SD1,
        tensors: new Map([
          ["double_blocks.0.img_attn.qkv.weight", info("double_blocks.0.img_attn.qkv.weight", [4, 4])],
        ]),
      },
      "wrong-base",
      /Flux/,
    ],
    [
      "SD3",
      { ...SD1, tensors: new Map([[`${UNET}joint_blocks.0.x`, info(`${UNET}joint_blocks.0.x`, [4])]]) },
      "wrong-base",
      /Stable Diffusion 3/,
    ],
    [
      "a diffusers UNet",
      { ...SD1, tensors: new Map([["down_blocks.0.x", info("down_blocks.0.x", [4])]]) },
      "wrong-base",
      /diffusers/,
    ],
    [
      "unknown things",
      { ...SD1, tensors: new Map([["x", info("x", [4])]]) },
      "unknown-key",
      /no part of a known model/,
    ],
    [
      "widths that heads do not divide",
      headerOf({
        ...fullSizeConfig("sd2"),
        unet: { ...fullSizeConfig("sd2").unet, channels: [32, 32, 64, 64] },
      }),
      "shape",
      /32 channels, which cannot be split by 64/,
    ],
  ];
  test.each(cases)("%s", (_, header, code, message) => {
    const error = refusal(header);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint).not.toBe("");
  });

  test("a file name is quoted in the message", () => {
    expect(refusal(without(SD1, "first_stage_model.")).message).toContain('"m.safetensors"');
  });
});

test("SD2 files that do not say what they predict are told apart by one bias", async () => {
  const config: CheckpointConfig = {
    ...fullSizeConfig("sd2"),
    unet: { ...fullSizeConfig("sd2").unet, channels: [64, 64, 64, 64], contextDim: 64, normGroups: 32 },
    text: {
      ...fullSizeConfig("sd2").text,
      hidden: 64,
      heads: 1,
      layers: 1,
      intermediate: 64,
      vocab: 8,
      projection: 64,
    },
    vae: { ...fullSizeConfig("sd2").vae, ch: 32, chMult: [1, 1], resBlocks: 1 },
  };
  const bias = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
  const file = (spread: number) => {
    const tensors = [...checkpointLayout(config)].map(([name, { shape }]) => {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (name === bias) values.forEach((_, i) => (values[i] = i % 2 ? spread : -spread));
      return { name, dtype: "F32" as const, shape, bytes: new Uint8Array(values.buffer) };
    });
    return fromBytes(writeSafetensors(tensors, new Map()), "m");
  };
  expect(await detectCheckpoint(file(0.2))).toMatchObject({
    predictionFrom: "statistics",
    config: { prediction: "v" },
  });
  expect(await detectCheckpoint(file(0.01))).toMatchObject({ config: { prediction: "epsilon" } });
});

describe("config hints are untrusted", () => {
  test.each([
    ["not JSON", "{"],
    ["wrong types", '{"unet":{"num_heads":"8"}}'],
    ["impossible numbers", '{"unet":{"num_heads":0}}'],
    ["another program's text", '"hello"'],
    ["very long", " ".repeat(20_000)],
  ])("%s is ignored", (_, text) => {
    expect(parseConfigHints(text)).toBeNull();
  });

  test("prototype keys are dropped", () => {
    const hints = parseConfigHints('{"__proto__":{"polluted":1},"unet":{"num_heads":2,"constructor":3}}');
    expect(hints).toEqual({ unet: { num_heads: 2 } });
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });
});
