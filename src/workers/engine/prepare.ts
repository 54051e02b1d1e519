/** Pictures and captions → what the trainer takes: cached latents, distinct captions. */
import { bucketsFor } from "../../dataset/buckets";
import { conditioningCrop } from "../../dataset/crop";
import type { Pixels } from "../../dataset/pixels";
import { prepareForTraining } from "../../dataset/prepare";
import type { SizeCondition } from "../../diffusion/sizeEmbedding";
import { CLIP_EOS, type ClipTokenizer } from "../../formats/tokenizer/clipTokenizer";
import type { LoadedModel } from "../../models/loadedModel";
import { latentMask } from "../../training/latentMask";
import type { TrainerData, TrainingExample } from "../../training/trainer";
import { planCaptions } from "./captions";
import type { TrainingImage, TrainingSettings } from "./api";
import type { JobControl } from "./jobControl";

export interface PreparedData extends TrainerData {
  /** Caption texts of the pictures, for metadata. */
  readonly texts: readonly string[];
}

/**
 * Crops every picture to its bucket and runs it through the VAE once; a run draws from the cached moments.
 * @param onProgress counts of pictures
 */
export async function prepareData(
  model: LoadedModel,
  tokenizer: ClipTokenizer,
  images: readonly TrainingImage[],
  settings: TrainingSettings,
  control: JobControl,
  onProgress: (done: number, total: number) => void,
): Promise<PreparedData> {
  const captions = planCaptions(
    images.map(({ caption }) => caption),
    settings,
    (text) => tokenizer.encodePadded(text, CLIP_EOS),
  );
  const examples: TrainingExample[] = [];
  for (const image of images) {
    control.throwIfCancelled();
    onProgress(examples.length, images.length);
    const pixels: Pixels = { data: image.pixels, width: image.width, height: image.height, channels: 4 };
    const cropped = prepareForTraining(pixels, bucketsFor(settings.resolution));
    const moments = await model.encodeImage(toModelInput(cropped), cropped.height, cropped.width);
    examples.push({
      moments,
      ...(image.mask && { mask: latentMask(image.mask, cropped.width, cropped.height, 255) }),
      height: cropped.height / 8,
      width: cropped.width / 8,
      caption: captions.index[examples.length] ?? 0,
      repeats: image.repeats,
      size: sizeCondition(image, cropped),
    });
  }
  // The encoder is not needed again: its memory goes to the training step.
  await model.releasePrograms();
  model.weights.release(
    (key) => key.startsWith("first_stage_model.encoder.") || key.startsWith("first_stage_model.quant_conv."),
  );
  return {
    examples,
    captions: captions.rows,
    captionAt: captions.at,
    texts: images.map(({ caption }) => caption),
  };
}

/** As sd-scripts tells SDXL: the size the picture came in, and where one of its ratio would sit in the bucket. */
function sizeCondition({ originalSize, width, height }: TrainingImage, bucket: Pixels): SizeCondition {
  const original = originalSize ?? [width, height];
  const [left, top] = conditioningCrop(original, [bucket.width, bucket.height]);
  return {
    original: [original[1], original[0]],
    crop: [top, left],
    target: [bucket.height, bucket.width],
  };
}

/** RGB bytes → `[height, width, 4]` in −1…1, fourth channel zero. */
function toModelInput({ data, width, height }: Pixels): Float32Array<ArrayBuffer> {
  const result = new Float32Array(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) result[4 * i + c] = (data[3 * i + c] ?? 0) / 127.5 - 1;
  }
  return result;
}
