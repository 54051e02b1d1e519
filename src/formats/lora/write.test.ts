import { describe, expect, test } from "vitest";
import { floatsToHalf } from "../../base/half";
import { fullSizeConfig } from "../checkpoint/fullSize";
import { readSafetensorsHeader } from "../safetensors/header";
import { fromBytes } from "../safetensors/source";
import type { TensorToWrite } from "../safetensors/write";
import { trainingFacts } from "./golden/facts";
import { fileHashes } from "./hashes";
import { loraModules } from "./modules";
import { modelSpec } from "./modelSpec";
import { pyFloat, pyJson } from "./python";
import { trainingMetadata } from "./trainingMetadata";
import { moduleTensors, writeLoraFile, writeLoraTensors } from "./write";

const half = (name: string, shape: number[], values: number[]): TensorToWrite => ({
  name,
  dtype: "F16",
  shape,
  bytes: new Uint8Array(floatsToHalf(Float32Array.from(values)).buffer),
});

describe("bytes and hashes equal the reference writer's", () => {
  test("a tiny file", async () => {
    const tensors = [
      half("lora_unet_x.lora_up.weight", [4, 2], [0, 0, 0, 0, 0, 0, 0, 0]),
      half("lora_unet_x.lora_down.weight", [2, 3], [0, 1, 2, 3, 4, 5]),
      half("lora_unet_x.alpha", [], [1]),
    ];
    const training = new Map([
      ["ss_output_name", "t"],
      ["ss_network_dim", "2"],
    ]);
    const { bytes, hashes } = await writeLoraTensors(tensors, training, new Map());
    expect(hashes.model).toBe("cce1111286d210c08803589e59c2e5aa54a5d91e14e2b340ecb6ed54697fa998");
    expect(hashes.legacy).toBe("e3b0c442");
    const { dataStart } = await readSafetensorsHeader(fromBytes(bytes, "t"));
    const data = Buffer.from(bytes.subarray(dataStart)).toString("hex");
    expect(data).toBe("003c0000003c004000420044004500000000000000000000000000000000");
    expect((await fileHashes(fromBytes(bytes, "t"), dataStart)).autoV3).toBe("cce1111286d2");
  });

  test("a file long enough for the legacy hash", async () => {
    const values = Array.from({ length: 700_000 }, (_, i) => i % 251);
    const { hashes } = await writeLoraTensors(
      [half("w.lora_down.weight", [700_000], values)],
      new Map([["ss_a", "1"]]),
      new Map([["modelspec.title", "any"]]),
    );
    expect(hashes.legacy).toBe("da5cc6d9");
    expect(hashes.model).toBe("5efd6c5b68f696cdcf21ddfd3bf3318cdfffcb15dba074cfcf4ed345505e93c8");
  });
});

describe("writeLoraFile", () => {
  const modules = loraModules(fullSizeConfig("sd1"))
    .filter((m) => /layers_0_mlp_fc1|proj_in$/.test(m.name))
    .slice(0, 2);
  const weights = modules.map((module) => ({
    module,
    alpha: 2,
    down: Float32Array.from({ length: 4 * module.inFeatures }, (_, i) => Math.sin(i)),
    up: Float32Array.from({ length: 4 * module.outFeatures }, (_, i) => Math.cos(i)),
  }));

  test("three tensors per module, f16, metadata and hashes; twice the same bytes", async () => {
    const { bytes } = await writeLoraFile(weights, trainingFacts());
    expect((await writeLoraFile(weights, trainingFacts())).bytes).toEqual(bytes);
    const { tensors, metadata } = await readSafetensorsHeader(fromBytes(bytes, "x"));
    expect([...tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ["lora_te_text_model_encoder_layers_0_mlp_fc1.alpha", "F16", []],
      ["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", "F16", [4, 768]],
      ["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", "F16", [3072, 4]],
      ["lora_unet_down_blocks_0_attentions_0_proj_in.alpha", "F16", []],
      ["lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight", "F16", [4, 320, 1, 1]],
      ["lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight", "F16", [320, 4, 1, 1]],
    ]);
    expect(metadata.get("sshs_model_hash")).toMatch(/^[0-9a-f]{64}$/);
  });

  test("bytes of a full SD1.5 LoRA without metadata are as counted in the reference", () => {
    const all = loraModules(fullSizeConfig("sd1")).flatMap((module) =>
      moduleTensors(
        {
          module,
          alpha: 4,
          down: new Float32Array(4 * module.inFeatures),
          up: new Float32Array(4 * module.outFeatures),
        },
        "F16",
      ),
    );
    expect(all).toHaveLength(792);
    expect(all.reduce((sum, tensor) => sum + tensor.bytes.byteLength, 0)).toBe(2 * (589_824 * 4 + 264));
  });
});

describe("metadata", () => {
  test("what loaders look at", () => {
    const metadata = trainingMetadata(trainingFacts());
    expect(Object.fromEntries(metadata)).toMatchObject({
      ss_output_name: "my_style",
      ss_network_module: "networks.lora",
      ss_network_dim: "16",
      ss_network_alpha: "8.0",
      ss_base_model_version: "sd_v1",
      ss_v2: "False",
      ss_learning_rate: "0.0001",
      ss_text_encoder_lr: "5e-05",
      ss_num_train_images: "120",
      ss_resolution: "(512, 512)",
      ss_optimizer: "torch.optim.adamw.AdamW(weight_decay=0.01)",
      ss_dataset_dirs: '{"3_images": {"n_repeats": 3, "img_count": 40}}',
      ss_tag_frequency: '{"3_images": {"my style": 40, "\\u72ac": 2}}',
      ss_bucket_info: '{"buckets": {"0": {"resolution": [448, 576], "count": 40}}}',
      ss_sd_model_name: "base.safetensors",
    });
    expect(metadata.has("ss_network_args")).toBe(false);
    expect([...metadata.keys()].every((key) => key.startsWith("ss_"))).toBe(true);
  });

  test("no folder of the person's disk gets in", () => {
    const facts = trainingFacts();
    facts.baseModel.name = "C:\\Users\\jane\\models/secret/base.safetensors";
    expect([...trainingMetadata(facts).values(), ...modelSpec(facts).values()].join("\n")).not.toMatch(
      /jane|secret/,
    );
  });

  test("convolution rank, v-prediction, SD2", () => {
    const facts = { ...trainingFacts(), family: "sd2" as const, prediction: "v" as const };
    facts.network = { ...facts.network, conv: { rank: 8, alpha: 4 } };
    const metadata = trainingMetadata(facts);
    expect(metadata.get("ss_network_args")).toBe('{"conv_dim": "8", "conv_alpha": "4.0"}');
    expect(metadata.get("ss_base_model_version")).toBe("sd_v2_v");
    expect(modelSpec(facts).get("modelspec.architecture")).toBe("stable-diffusion-v2-768-v/lora");
  });

  test("modelspec", () => {
    expect(Object.fromEntries(modelSpec(trainingFacts()))).toEqual({
      "modelspec.sai_model_spec": "1.0.1",
      "modelspec.architecture": "stable-diffusion-v1/lora",
      "modelspec.implementation": "diffusers",
      "modelspec.title": "My style",
      "modelspec.resolution": "512x512",
      "modelspec.date": "2023-11-14T22:15:00",
      "modelspec.prediction_type": "epsilon",
      "modelspec.trigger_phrase": "my style",
    });
  });
});

describe("values as Python prints them", () => {
  test.each<[number | null, string]>([
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [0.000015, "1.5e-05"],
    [16, "16.0"],
    [1e-7, "1e-07"],
    [1e16, "1e+16"],
    [123456789, "123456789.0"],
    [0, "0.0"],
    [null, "None"],
  ])("%s is %s", (value, text) => {
    expect(pyFloat(value)).toBe(text);
  });

  test("JSON has spaces and only ASCII", () => {
    const value = new Map<string, string | number[] | null>([
      ["\u72ac\u{1f600}", '\u00e9"\n\u007f'],
      ["n", [1, 2]],
      ["x", null],
    ]);
    expect(pyJson(value)).toBe('{"\\u72ac\\ud83d\\ude00": "\\u00e9\\"\\n\u007f", "n": [1, 2], "x": null}');
  });
});
