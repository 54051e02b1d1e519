/** Golden kind `lora-apply`: LoRA files on a model → text states, prediction, merged weights. */
import path from "node:path";
import { channelsFirst, channelsLast } from "../../../src/base/layout";
import { applyToWeight } from "../../../src/formats/lora/merge";
import { readLora, type LoadedLora } from "../../../src/formats/lora/read";
import { LoraStack } from "../../../src/models/lora/apply";
import type { LoadedModel } from "../../../src/models/loadedModel";
import { openFileSource } from "../../lib/fileSource";
import { concatenate } from "../../../src/base/layout";
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel, goldenTensor, integerRows, params, skippingUnbuilt } from "../gpu/goldenModel";
import type { VerifyCase, VerifyKind } from "../types";

export const kind: VerifyKind = {
  name: "lora-apply",
  run: (c, env) =>
    skippingUnbuilt(async () => {
      const model = await goldenModel(c, env);
      const uses = await readUses(c, model);
      const stack = new LoraStack(model);
      const checks = new Checks();
      try {
        const lora = await stack.use(uses);
        const clipSkip = Number(params(c)["clip_skip"] ?? 1);
        const context = concatenate(
          await model.encodeText(integerRows(await goldenTensor(c, "ids")), clipSkip, lora),
        );
        checks.close("context", context, (await floats(c, "context")).data, toleranceOf(c.case));
        const [x, t] = [await floats(c, "x"), await floats(c, "t")];
        const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
        const unet = await model.unet({ batch, height, width, tokens: 77 }, lora);
        const prediction = await unet.predict(
          channelsLast(x.data, batch, channels, height * width),
          [...t.data],
          context,
        );
        checks.close(
          "eps",
          channelsFirst(prediction, batch, channels, height * width),
          (await floats(c, "eps")).data,
          toleranceOf(c.case),
        );
        for (const name of (await c.tensors()).keys())
          if (name.startsWith("merged.")) await checkMerged(c, model, uses, name, checks);
      } finally {
        await stack.use([]);
        await model.releasePrograms();
        stack.dispose();
      }
      return checks.outcome();
    }),
};

interface FileUse {
  readonly lora: LoadedLora;
  readonly unet: number;
  readonly te: number;
}

async function readUses(c: VerifyCase, model: LoadedModel): Promise<FileUse[]> {
  const list = params(c)["loras"] as { file: string; unet: number; te: number }[];
  return Promise.all(
    list.map(async ({ file, unet, te }) => {
      const source = await openFileSource(path.join(c.root, file));
      try {
        return { lora: await readLora(source, model.config), unet, te };
      } finally {
        await source.close();
      }
    }),
  );
}

async function checkMerged(
  c: VerifyCase,
  model: LoadedModel,
  uses: readonly FileUse[],
  name: string,
  checks: Checks,
): Promise<void> {
  const module = name.slice("merged.".length);
  let values: Float32Array<ArrayBuffer> | undefined;
  for (const { lora, unet, te } of uses) {
    const found = lora.modules.find((one) => one.name === module);
    if (!found) continue;
    values ??= await model.readWeight(found.target.checkpointKey);
    values = applyToWeight(values, found, found.target.part === "unet" ? unet : te);
  }
  checks.close(name, values ?? [], (await floats(c, name)).data, toleranceOf(c.case));
}
