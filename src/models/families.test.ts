/** What the families' graphs read is what checkpoints hold, at full size and without a GPU. */
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../engine/graph";
import { weightTypeFor } from "../engine/weights";
import type { FamilyName } from "../formats/checkpoint/config";
import { fullSizeConfig } from "../formats/checkpoint/fullSize";
import { checkpointLayout } from "../formats/checkpoint/layout";
import { loraModules } from "../formats/lora/modules";
import { familyNamed } from "./index";
import { declareConditions } from "./inputs/conditions";
import { declareText, textInputs } from "./inputs/text";
import { bindTarget, LoraBinding } from "./lora/binding";

function graphOf(name: FamilyName, lora?: LoraBinding): GraphBuilder {
  const family = familyNamed(name);
  const config = fullSizeConfig(name);
  const graph = new GraphBuilder({ activationType: "f16" });
  const options = { clipSkip: family.fixedClipSkip ?? 1, ...(lora && { lora }) };
  family.buildText(graph, config, declareText(graph, family, config, 1), options);
  const latents = graph.input("latents", [1, 8, 8, 4], "f16");
  const operands = { latents, ...declareConditions(graph, family, config, 1, 77) };
  family.buildUnet(graph, config, operands, lora);
  family.buildVaeEncoder(graph, config, graph.input("image", [1, 8, 8, 4], "f16"));
  family.buildVaeDecoder(graph, config, graph.input("decoded", [1, 8, 8, 4], "f16"));
  return graph;
}

const names: FamilyName[] = ["sd1", "sd2", "sdxl"];

describe.each(names)("%s", (name) => {
  it("reads every tensor of the checkpoint but those it says it does not need", () => {
    const layout = checkpointLayout(fullSizeConfig(name));
    const read = new Set(graphOf(name).weights.flatMap(({ weight }) => weight?.keys ?? []));
    expect([...read].filter((key) => !layout.has(key))).toEqual([]);
    const unread = [...layout].filter(([key, { optional }]) => !optional && !read.has(key));
    // The last text layer is behind what SD2 and SDXL's first encoder condition on; SDXL norms only the second's.
    const behind = {
      sd1: /^$/,
      sd2: /resblocks\.23\./,
      sdxl: /embedders\.0\..*(layers\.11\.|final_layer_norm)/,
    };
    expect(unread.map(([key]) => key).filter((key) => !behind[name].test(key))).toEqual([]);
  });

  it("binds every module that files name, but those of the unused layer", () => {
    const targets = loraModules(fullSizeConfig(name)).map(bindTarget);
    const lora = new LoraBinding(targets, 4, 1);
    graphOf(name, lora);
    const bound = new Set(lora.groups.flatMap((group) => group.targets.map((target) => target?.name)));
    const left = targets.filter((target) => !bound.has(target.name)).map((target) => target.name);
    expect(left.filter((target) => !/^lora_te1_.*_layers_11_/.test(target))).toEqual([]);
  });

  it("keeps most of the weights small when quantised to four bits", () => {
    const graph = graphOf(name);
    const sizes = new Map<string, number>();
    for (const { weight } of graph.weights) {
      if (!weight?.keys[0]?.startsWith("model.diffusion_model.")) continue;
      const type = weightTypeFor(weight, "q4");
      const count = weight.shape.reduce((product, extent) => product * extent, 1);
      sizes.set(type, (sizes.get(type) ?? 0) + count);
    }
    const total = [...sizes.values()].reduce((sum, count) => sum + count, 0);
    expect((sizes.get("f16") ?? 0) / total).toBeLessThan(0.06);
    expect((sizes.get("q4") ?? 0) / total).toBeGreaterThan(name === "sdxl" ? 0.25 : 0.6);
  });
});

describe("token rows", () => {
  const row = [49406, 320, 49407, 49407, 49407];

  it("are padded as each encoder wants them, with the place of the first end", () => {
    const inputs = textInputs(familyNamed("sdxl"), [row, [49406, 1, 2, 3, 49407]]);
    expect([...(inputs.get("ids") ?? [])]).toEqual([...row, 49406, 1, 2, 3, 49407]);
    expect([...(inputs.get("ids2") ?? [])]).toEqual([49406, 320, 49407, 0, 0, 49406, 1, 2, 3, 49407]);
    expect([...(inputs.get("ends") ?? [])]).toEqual([2, 4]);
  });

  it("of SD2 end in zeros", () => {
    expect([...(textInputs(familyNamed("sd2"), [row]).get("ids") ?? [])]).toEqual([49406, 320, 49407, 0, 0]);
  });
});
