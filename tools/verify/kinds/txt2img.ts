/** Golden kind `txt2img`: a whole generation, from the prompt to the 8-bit picture. */
import path from "node:path";
import sharp from "sharp";
import { channelsFirst } from "../../../src/base/layout";
import { readLora } from "../../../src/formats/lora/read";
import { LoraStack, type LoraUse } from "../../../src/models/lora/apply";
import type { LoadedModel } from "../../../src/models/loadedModel";
import { samplerMeta, type SamplerName } from "../../../src/sampling/meta";
import { sampleLatents, toRgba } from "../../../src/sampling/textToImage";
import { loadClipTokenizer } from "../../lib/clipTokenizer";
import { openFileSource } from "../../lib/fileSource";
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel, params } from "../gpu/goldenModel";
import type { VerifyCase, VerifyKind } from "../types";

export const kind: VerifyKind = {
  name: "txt2img",
  run: async (c, env) => {
    const model = await goldenModel(c, env);
    const tokenizer = await env.once("clip-tokenizer", loadClipTokenizer);
    const stack = new LoraStack(model);
    const checks = new Checks();
    try {
      const lora = await stack.use(await usesOf(c, model));
      const { latents, height, width, sigmas } = await sampleLatents(model, settingsOf(c), {
        encode: tokenizer.encode,
        lora,
      });
      checks.close("sigmas", sigmas, (await floats(c, "sigmas")).data, toleranceOf(c.case));
      const channels = model.config.vae.latentChannels;
      checks.close(
        "latents",
        channelsFirst(latents, 1, channels, height * width),
        (await floats(c, "latents")).data,
        toleranceOf(c.case),
      );
      await checkPicture(c, toRgba(await model.decodeLatents(latents, height, width)), checks);
    } finally {
      await model.releasePrograms();
      stack.dispose();
    }
    return checks.outcome();
  },
};

function settingsOf(c: VerifyCase) {
  const p = params(c);
  const names = Object.keys(samplerMeta) as SamplerName[];
  const sampler = names.find((name) => samplerMeta[name].label === p["sampler"]);
  if (!sampler) throw new Error(`the sampler "${String(p["sampler"])}" is not known`);
  return {
    prompt: String(p["prompt"]),
    negativePrompt: String(p["negative_prompt"] ?? ""),
    steps: Number(p["steps"]),
    cfgScale: Number(p["cfg_scale"]),
    width: Number(p["width"]),
    height: Number(p["height"]),
    seed: Number(p["seed"]),
    sampler,
    scheduler: p["scheduler"] === "karras" ? ("karras" as const) : ("automatic" as const),
    clipSkip: Number(p["clip_skip"] ?? 1),
    randomSource: p["rng"] === "CPU" ? ("CPU" as const) : ("NV" as const),
  };
}

async function usesOf(c: VerifyCase, model: LoadedModel): Promise<LoraUse[]> {
  const list = (params(c)["loras"] ?? []) as { file: string; unet: number; te: number }[];
  const uses: LoraUse[] = [];
  for (const { file, unet, te } of list) {
    const source = await openFileSource(path.join(c.root, file));
    uses.push({ lora: await readLora(source, model.config), unet, te });
    await source.close();
  }
  return uses;
}

async function checkPicture(c: VerifyCase, rgba: Uint8ClampedArray, checks: Checks): Promise<void> {
  const expected = await sharp(path.join(c.root, String(c.case["png"])))
    .removeAlpha()
    .raw()
    .toBuffer();
  const limits = c.case["tolerance"] as { u8_max_diff: number; u8_fraction_differing: number };
  let largest = 0;
  let differing = 0;
  for (let i = 0; i < expected.length; i++) {
    const delta = Math.abs((expected[i] ?? 0) - (rgba[Math.floor(i / 3) * 4 + (i % 3)] ?? 0));
    largest = Math.max(largest, delta);
    if (delta > 0) differing++;
  }
  checks.that(`the picture has the size of the reference`, expected.length === (rgba.length / 4) * 3);
  checks.that(
    `pixels differ by ${largest} at most, limit ${limits.u8_max_diff}`,
    largest <= limits.u8_max_diff,
  );
  const fraction = differing / expected.length;
  checks.that(
    `${fraction} of the values differ, limit ${limits.u8_fraction_differing}`,
    fraction <= limits.u8_fraction_differing,
  );
}
