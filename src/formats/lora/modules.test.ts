import { describe, expect, test } from "vitest";
import type { FamilyName } from "../checkpoint/config";
import { fullSizeConfig } from "../checkpoint/fullSize";
import { checkpointLayout } from "../checkpoint/layout";
import { loraModules, loraShapes, loraTargets, type LoraModule } from "./modules";

const modules = (family: FamilyName, convolutions = false) =>
  loraModules(fullSizeConfig(family), { convolutions });
const count = (list: readonly LoraModule[], part: string) => list.filter((m) => m.part === part).length;
/** Elements per unit of rank. */
const elements = (list: readonly LoraModule[]) =>
  list.reduce((sum, m) => sum + m.outFeatures + m.inFeatures * (m.kind === "conv3x3" ? 9 : 1), 0);

describe("modules of the published base models", () => {
  test("SD1.5: 264 modules, 792 tensors", () => {
    const list = modules("sd1");
    expect([list.length, count(list, "te"), count(list, "unet")]).toEqual([264, 72, 192]);
    expect(elements(list)).toBe(589_824);
  });

  test("SD2: 330 modules, the last text layer has none", () => {
    const list = modules("sd2");
    expect([list.length, count(list, "te"), count(list, "unet")]).toEqual([330, 138, 192]);
    expect(elements(list)).toBe(856_064);
    expect(list.some((m) => m.name.includes("layers_23_"))).toBe(false);
  });

  test("SDXL: 986 modules", () => {
    const list = modules("sdxl");
    expect([list.length, count(list, "te1"), count(list, "te2"), count(list, "unet")]).toEqual([
      986, 72, 192, 722,
    ]);
    expect(elements(list)).toBe(3_563_008);
  });

  test("LoCon adds 86 modules to SD1.5 (50 of them 3x3) and 66 to SDXL", () => {
    const extra = modules("sd1", true).filter((m) => m.block !== "text" && m.block !== "transformer");
    expect(extra).toHaveLength(86);
    expect(extra.filter((m) => m.kind === "conv3x3")).toHaveLength(50);
    expect(elements(extra.filter((m) => m.kind === "conv3x3"))).toBe(544_000);
    expect(elements(extra.filter((m) => m.kind !== "conv3x3"))).toBe(82_880);
    expect(modules("sdxl", true)).toHaveLength(986 + 66);
  });
});

test.each<[FamilyName, string, string, LoraModule["kind"]]>([
  [
    "sd1",
    "lora_unet_down_blocks_0_attentions_0_proj_in",
    "model.diffusion_model.input_blocks.1.1.proj_in.weight",
    "conv1x1",
  ],
  [
    "sd1",
    "lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_0_proj",
    "model.diffusion_model.middle_block.1.transformer_blocks.0.ff.net.0.proj.weight",
    "linear",
  ],
  [
    "sd1",
    "lora_unet_up_blocks_0_upsamplers_0_conv",
    "model.diffusion_model.output_blocks.2.1.conv.weight",
    "conv3x3",
  ],
  [
    "sd1",
    "lora_unet_up_blocks_1_upsamplers_0_conv",
    "model.diffusion_model.output_blocks.5.2.conv.weight",
    "conv3x3",
  ],
  [
    "sd1",
    "lora_unet_up_blocks_3_resnets_2_conv_shortcut",
    "model.diffusion_model.output_blocks.11.0.skip_connection.weight",
    "conv1x1",
  ],
  [
    "sd1",
    "lora_te_text_model_encoder_layers_11_self_attn_out_proj",
    "cond_stage_model.transformer.text_model.encoder.layers.11.self_attn.out_proj.weight",
    "linear",
  ],
  [
    "sd2",
    "lora_unet_down_blocks_0_attentions_0_proj_in",
    "model.diffusion_model.input_blocks.1.1.proj_in.weight",
    "linear",
  ],
  [
    "sd2",
    "lora_te_text_model_encoder_layers_0_mlp_fc1",
    "cond_stage_model.model.transformer.resblocks.0.mlp.c_fc.weight",
    "linear",
  ],
  [
    "sdxl",
    "lora_unet_output_blocks_2_2_conv",
    "model.diffusion_model.output_blocks.2.2.conv.weight",
    "conv3x3",
  ],
  [
    "sdxl",
    "lora_te2_text_model_encoder_layers_31_mlp_fc2",
    "conditioner.embedders.1.model.transformer.resblocks.31.mlp.c_proj.weight",
    "linear",
  ],
])("%s %s sits on %s", (family, name, checkpointKey, kind) => {
  expect(modules(family, true).find((m) => m.name === name)).toMatchObject({ checkpointKey, kind });
});

test.each<FamilyName>(["sd1", "sd2", "sdxl"])(
  "every target of %s is a weight of the checkpoint that has its size",
  (family) => {
    const config = fullSizeConfig(family);
    const layout = checkpointLayout(config);
    const wrong = loraTargets(config).filter(
      ({ checkpointKey, biasKey, firstRow, kind, inFeatures, outFeatures }) => {
        const [rows = 0, columns = 1] = layout.get(checkpointKey)?.shape ?? [];
        const rowsFit = firstRow === undefined ? rows === outFeatures : firstRow + outFeatures <= rows;
        return (
          !rowsFit ||
          (kind !== "norm" && columns !== inFeatures) ||
          (biasKey !== undefined && !layout.has(biasKey))
        );
      },
    );
    expect(wrong).toEqual([]);
  },
);

test("OpenCLIP's stacked projection is addressed by rows: q, k, v", () => {
  const rows = ["q", "k", "v"].map((leaf) => {
    return modules("sd2").find((m) => m.name.endsWith(`layers_0_self_attn_${leaf}_proj`))?.firstRow;
  });
  expect(rows).toEqual([0, 1024, 2048]);
});

test("loraShapes", () => {
  const conv = modules("sd1", true).find((m) => m.kind === "conv3x3");
  const linear = modules("sd1").find((m) => m.kind === "linear");
  expect(conv && loraShapes(conv, 4)).toEqual({ down: [4, 320, 3, 3], up: [320, 4, 1, 1] });
  expect(linear && loraShapes(linear, 8)).toEqual({ down: [8, 768], up: [768, 8] });
});
