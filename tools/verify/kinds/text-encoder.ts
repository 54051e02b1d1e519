/** Golden kind `text-encoder`: token ids → text states at each clip skip; long prompts chunk by chunk. */
import { concatenate } from "../../../src/base/layout";
import { joinChunks } from "../../../src/diffusion/longPrompt";
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel, goldenTensor, integerRows } from "../gpu/goldenModel";
import type { VerifyKind } from "../types";

/** Outputs that are states of one layer, and its clip skip; SDXL's `context` has a rule of its own. */
function clipSkipOf(output: string): number | undefined {
  const named = new Map([
    ["last", 1],
    ["penultimate", 2],
    ["context", 2],
  ]);
  const [, skip] = /^clip_skip(\d+)$/.exec(output) ?? [];
  return skip === undefined ? named.get(output) : Number(skip);
}

export const kind: VerifyKind = {
  name: "text-encoder",
  run: async (c, env) => {
    const model = await goldenModel(c, env);
    const ids = await goldenTensor(c, "ids");
    const checks = new Checks();
    const outputs = Array.isArray(c.case["outputs"]) ? c.case["outputs"].map(String) : [];
    for (const name of outputs) {
      const clipSkip = clipSkipOf(name);
      if (clipSkip === undefined) continue;
      const texts = await model.encodeText(integerRows(ids), clipSkip);
      const isLong = ids.shape.length === 3;
      const rows = texts.map(({ context }) => context);
      const states = isLong ? joinChunks(rows, model.config.unet.contextDim) : concatenate(rows);
      checks.close(name, states, (await floats(c, name)).data, toleranceOf(c.case));
      if (name === "context" && outputs.includes("pooled")) {
        const pooled = concatenate(texts.flatMap((text) => text.pooled ?? []));
        checks.close("pooled", pooled, (await floats(c, "pooled")).data, toleranceOf(c.case));
      }
    }
    return checks.outcome();
  },
};
