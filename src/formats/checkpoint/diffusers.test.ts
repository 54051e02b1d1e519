import { describe, expect, test } from "vitest";
import { diffusersFiles, type FolderOptions, type WrittenFile } from "../../../tools/lib/diffusersFolder";
import { fromBytes } from "../safetensors/source";
import { halfToFloats } from "../../base/half";
import { detectBundle, singleFile, withVae } from "./bundle";
import type { CheckpointConfig, FamilyName } from "./config";
import { detectFromHeader } from "./detect";
import { diffusersFolder, filesOfFolder } from "./diffusers";
import { canonicalVae } from "./diffusersNames";
import { readCheckpointTensor } from "./tensor";
import { tinyConfig, tinyFile, tinyTensors } from "./testing/tinyCheckpoint";
import { vaeTensors } from "./vaeFile";
import { writeSafetensors } from "../safetensors/write";

function open(files: readonly WrittenFile[]) {
  const wanted = filesOfFolder(
    files.map(({ path }) => path),
    "folder",
  );
  return diffusersFolder(
    "folder",
    files
      .filter(({ path }) => wanted.includes(path))
      .map(({ path, bytes }) => ({ path, source: fromBytes(bytes, path) })),
  );
}

async function expectSame(config: CheckpointConfig, options?: FolderOptions): Promise<void> {
  const tensors = tinyTensors(config);
  const bundle = await open(diffusersFiles(config, tensors, options));
  const detected = await detectBundle(bundle);
  expect(detected.config).toEqual(config);
  for (const [key, tensor] of detected.tensors) {
    // The block that diffusers leaves out is a copy of the one before; nothing runs it.
    const phantom = config.family === "sd2" && key.includes(`resblocks.${config.text.layers - 1}.`);
    const original = tensors.get(
      phantom ? key.replace(/resblocks\.\d+/, `resblocks.${config.text.layers - 2}`) : key,
    );
    expect(tensor.shape, key).toEqual(tensors.get(key)?.shape);
    const wanted = halfToFloats(new Uint16Array(original?.bytes.slice().buffer ?? new ArrayBuffer()));
    const values = await readCheckpointTensor(bundle.source, tensor);
    expect(Buffer.compare(Buffer.from(values.buffer), Buffer.from(wanted.buffer)), key).toBe(0);
  }
}

describe("a diffusers folder is the same model as its single file", () => {
  test.each<FamilyName>(["sd1", "sd2", "sdxl"])("%s: configuration and every value", async (family) => {
    const { text, ...config } = tinyConfig(family);
    const { projection: _, ...rest } = text; // SD2's folder has no projection
    await expectSame({ ...config, text: family === "sd2" ? rest : text });
  });

  test("shards and the fp16 variant", async () => {
    await expectSame(tinyConfig("sd1"), { shards: 3, variant: ".fp16" });
  });

  test("names that the web documents of diffusers' VAE show", () => {
    const names: [string, string][] = [
      ["decoder.up_blocks.0.resnets.0.conv1.weight", "decoder.up.3.block.0.conv1.weight"],
      ["decoder.up_blocks.2.resnets.0.conv_shortcut.weight", "decoder.up.1.block.0.nin_shortcut.weight"],
      ["decoder.up_blocks.1.upsamplers.0.conv.bias", "decoder.up.2.upsample.conv.bias"],
      ["encoder.down_blocks.0.downsamplers.0.conv.bias", "encoder.down.0.downsample.conv.bias"],
      ["encoder.mid_block.attentions.0.proj_attn.bias", "encoder.mid.attn_1.proj_out.bias"],
      ["encoder.mid_block.resnets.1.norm2.bias", "encoder.mid.block_2.norm2.bias"],
    ];
    const sizes: [string, number[]][] = [
      ["encoder.conv_in.weight", [128, 3, 3, 3]],
      ["post_quant_conv.weight", [4, 4, 1, 1]],
      ...[0, 1, 2, 3].flatMap((level): [string, number[]][] =>
        [0, 1].map((n) => [
          `encoder.down_blocks.${level}.resnets.${n}.conv1.weight`,
          [128 << Math.min(level, 2), 128, 3, 3],
        ]),
      ),
    ];
    const all = [...sizes, ...names.map(([name]): [string, number[]] => [name, [1]])];
    const tensors = new Map(
      all.map(([name, shape]) => [name, { name, dtype: "F16" as const, shape, begin: 0, end: 0 }]),
    );
    const renamed = canonicalVae(tensors, "vae");
    for (const [diffusers, ldm] of names)
      expect(renamed.get(`first_stage_model.${ldm}`)?.name).toBe(diffusers);
  });
});

describe("what is missing or wrong is said by name", () => {
  const files = diffusersFiles(tinyConfig("sdxl"), tinyTensors(tinyConfig("sdxl")), { shards: 2 });
  const without = (pattern: RegExp) => files.filter(({ path }) => !pattern.test(path));
  const replaced = (path: string, value: unknown) => [
    ...files.filter((file) => file.path !== path),
    { path, bytes: new TextEncoder().encode(JSON.stringify(value)) },
  ];
  const cases: [string, readonly WrittenFile[], RegExp][] = [
    ["no VAE", without(/^vae\//), /contains no VAE/],
    ["no UNet", without(/^unet\//), /no UNet: the folder unet\/ is missing/],
    ["no text encoder", without(/^text_encoder\//), /no text encoder: the folder text_encoder\//],
    ["no second text encoder", without(/^text_encoder_2\//), /no second text encoder/],
    ["a shard is missing", without(/00002-of-00002/), /Part 2 of 2 of the UNet of "folder" is missing/],
    [
      "only pickles",
      [...without(/vae\/diff/), { path: "vae/diffusion_pytorch_model.bin", bytes: new Uint8Array(9) }],
      /VAE of "folder" is there as a pickle/,
    ],
    [
      "an inpainting pipeline",
      replaced("model_index.json", { _class_name: "StableDiffusionInpaintPipeline" }),
      /"folder" is an inpainting model/,
    ],
    ["SD3", replaced("model_index.json", { _class_name: "StableDiffusion3Pipeline" }), /Stable Diffusion 3/],
    ["Flux", replaced("model_index.json", { _class_name: "FluxPipeline" }), /Flux/],
    [
      "the refiner",
      replaced("model_index.json", { _class_name: "StableDiffusionXLImg2ImgPipeline" }),
      /refiner/,
    ],
    [
      "a pipeline nobody knows",
      replaced("model_index.json", { _class_name: "KolorsPipeline" }),
      /KolorsPipeline/,
    ],
  ];
  test.each(cases)("%s", async (_, list, message) => {
    const bundle = async () => detectBundle(await open(list));
    await expect(bundle()).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });

  test("configuration files that are damaged are left aside", async () => {
    const config = tinyConfig("sd1");
    const list = diffusersFiles(config, tinyTensors(config)).map((file) =>
      file.path.endsWith(".json") ? { ...file, bytes: new TextEncoder().encode("{nonsense") } : file,
    );
    expect((await detectBundle(await open(list))).config.family).toBe("sd1");
  });
});

describe("a VAE of its own", () => {
  const config = tinyConfig("sd1");
  const vae = [...tinyTensors(config, "F32", 9).values()].filter(({ name }) =>
    name.startsWith("first_stage_model."),
  );
  const styles: [string, (name: string) => string][] = [
    ["with the checkpoint's prefix", (name) => name],
    ["bare, as vae-ft-mse comes", (name) => name.replace("first_stage_model.", "")],
  ];
  test.each(styles)("%s", async (_, rename) => {
    const bytes = writeSafetensors(
      vae.map((tensor) => ({ ...tensor, name: rename(tensor.name) })),
      new Map(),
    );
    const found = vaeTensors(await singleFile(fromBytes(bytes, "vae.safetensors")));
    expect([...found.keys()].sort()).toEqual(vae.map(({ name }) => name).sort());
    const base = await singleFile(fromBytes(tinyFile(config), "m.safetensors"));
    expect(detectFromHeader(withVae(base.header, found), "m").tensors.get(vae[0]?.name ?? "")?.dtype).toBe(
      "F32",
    );
  });

  test("with diffusers' keys", async () => {
    const file = diffusersFiles(config, tinyTensors(config)).find(({ path }) =>
      /^vae\/.*safetensors/.test(path),
    );
    const found = vaeTensors(await singleFile(fromBytes(file?.bytes ?? new Uint8Array(), "vae")));
    expect(found.size).toBe(vae.length);
  });

  test("another file is refused", async () => {
    const bytes = writeSafetensors(
      [{ name: "x", dtype: "F16", shape: [1], bytes: new Uint8Array(2) }],
      new Map(),
    );
    const bundle = await singleFile(fromBytes(bytes, "x.safetensors"));
    expect(() => vaeTensors(bundle)).toThrow(/contains no VAE/);
  });
});
