/** SDXL's vector conditioning in golden cases: the pooled state and the sizes, where the model reads them. */
import { concatenate } from "../../../src/base/layout";
import { sizeEmbedding, wholePicture, type SizeCondition } from "../../../src/diffusion/sizeEmbedding";
import type { EncodedText, LoadedModel, UnetConditions } from "../../../src/models/loadedModel";
import type { VerifyCase } from "../types";
import { floats } from "./goldenModel";

/** The sizes of each image; a case that gives none means whole pictures of `height` × `width` latent pixels. */
export async function goldenSizes(
  c: VerifyCase,
  batch: number,
  height: number,
  width: number,
): Promise<SizeCondition[]> {
  const whole = Array.from({ length: batch }, () => wholePicture(8 * height, 8 * width));
  if (!(await c.tensors()).has("original_size")) return whole;
  const pairs = async (name: string) => (await floats(c, name)).data;
  const [original, crop, target] = [
    await pairs("original_size"),
    await pairs("crop_top_left"),
    await pairs("target_size"),
  ];
  const pair = (values: Float32Array, image: number) =>
    [values[2 * image] ?? 0, values[2 * image + 1] ?? 0] as const;
  return whole.map((_, image) => ({
    original: pair(original, image),
    crop: pair(crop, image),
    target: pair(target, image),
  }));
}

/** What the UNet is told, from a case's own `context` and `pooled`, or from encoded texts. */
export async function goldenConditions(
  c: VerifyCase,
  model: LoadedModel,
  { batch, height, width }: { readonly batch: number; readonly height: number; readonly width: number },
  texts?: readonly EncodedText[],
): Promise<UnetConditions> {
  const context = texts ? concatenate(texts.map((text) => text.context)) : (await floats(c, "context")).data;
  if (model.family.sizesWidth(model.config) === 0) return { context };
  const pooled = texts
    ? concatenate(texts.flatMap((text) => text.pooled ?? []))
    : (await floats(c, "pooled")).data;
  const dim = model.config.unet.sizeEmbeddingDim ?? 0;
  const sizes = (await goldenSizes(c, batch, height, width)).map((size) => sizeEmbedding(size, dim));
  return { context, pooled, sizes: concatenate(sizes) };
}
