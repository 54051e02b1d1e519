/** Golden kind `lora-apply`: LoRA files on a model → text states, prediction, merged weights. */
import path from "node:path";
import { channelsFirst, channelsLast } from "../../../src/base/layout";
import { applyToWeight } from "../../../src/formats/lora/merge";
import type { LoraTarget } from "../../../src/formats/lora/modules";
import { readLora, type LoadedLora } from "../../../src/formats/lora/read";
import { LoraStack } from "../../../src/models/lora/apply";
import type { ActiveLora, LoadedModel } from "../../../src/models/loadedModel";
import { openFileSource } from "../../lib/fileSource";
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel, goldenTensor, integerRows, params } from "../gpu/goldenModel";
import { goldenConditions } from "../gpu/goldenSizes";
import type { VerifyCase, VerifyKind } from "../types";

export const kind: VerifyKind = {
  name: "lora-apply",
  run: async (c, env) => {
    const model = await goldenModel(c, env);
    const uses = await readUses(c, model);
    const stack = new LoraStack(model);
    const checks = new Checks();
    try {
      await checkStates(c, model, await stack.use(uses), checks);
      for (const name of (await c.tensors()).keys())
        if (name.startsWith("merged.")) await checkMerged(c, model, uses, name, checks);
    } finally {
      await stack.use([]);
      await model.releasePrograms();
      stack.dispose();
    }
    return checks.outcome();
  },
};

async function checkStates(
  c: VerifyCase,
  model: LoadedModel,
  lora: ActiveLora | undefined,
  checks: Checks,
): Promise<void> {
  const clipSkip = model.clipSkip(Number(params(c)["clip_skip"] ?? 1));
  const texts = await model.encodeText(integerRows(await goldenTensor(c, "ids")), clipSkip, lora);
  const [x, t] = [await floats(c, "x"), await floats(c, "t")];
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const conditions = await goldenConditions(c, model, { batch, height, width }, texts);
  const compare = async (name: string, actual: Float32Array) =>
    checks.close(name, actual, (await floats(c, name)).data, toleranceOf(c.case));
  await compare("context", conditions.context);
  if (conditions.pooled && (await c.tensors()).has("pooled")) await compare("pooled", conditions.pooled);
  const unet = await model.unet({ batch, height, width, tokens: 77 }, lora);
  const input = channelsLast(x.data, batch, channels, height * width);
  const prediction = await unet.predict(input, [...t.data], conditions);
  await compare("eps", channelsFirst(prediction, batch, channels, height * width));
}

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
    values ??= moduleRows(await model.readWeight(found.target.checkpointKey), found.target);
    values = applyToWeight(values, found, found.target.part === "unet" ? unet : te);
  }
  checks.close(name, values ?? [], (await floats(c, name)).data, toleranceOf(c.case));
}

/** The rows of a stacked tensor (q, k or v) that are the module's weight. */
function moduleRows(
  values: Float32Array<ArrayBuffer>,
  { firstRow, inFeatures, outFeatures }: LoraTarget,
): Float32Array<ArrayBuffer> {
  if (firstRow === undefined) return values;
  return values.slice(firstRow * inFeatures, (firstRow + outFeatures) * inFeatures);
}
