/** Golden kind `text-encoder`: token ids → text states at each clip skip; long prompts chunk by chunk. */
import { concatenate } from "../../../src/base/layout";
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel, goldenTensor, integerRows, skippingUnbuilt } from "../gpu/goldenModel";
import type { VerifyKind } from "../types";
import { joinChunks } from "../../../src/diffusion/longPrompt";

export const kind: VerifyKind = {
  name: "text-encoder",
  run: (c, env) =>
    skippingUnbuilt(async () => {
      const model = await goldenModel(c, env);
      const ids = await goldenTensor(c, "ids");
      const checks = new Checks();
      const outputs = Array.isArray(c.case["outputs"]) ? c.case["outputs"].map(String) : [];
      for (const name of outputs.filter((output) => output.startsWith("clip_skip"))) {
        const rows = await model.encodeText(integerRows(ids), Number(name.slice("clip_skip".length)));
        const isLong = ids.shape.length === 3;
        const states = isLong ? joinChunks(rows, model.config.unet.contextDim) : concatenate(rows);
        checks.close(name, states, (await floats(c, name)).data, toleranceOf(c.case));
      }
      return checks.outcome();
    }),
};
