/**
 * Text to picture as the web UI does it: prompt grammar, LoRA tags, noise of its generators, its sigmas, classifier-free
 * guidance over all AND parts, and its rounding to 8 bits.
 */
import { channelsFirst, channelsLast, concatenate } from "../base/layout";
import { createNoiseSource, type NoiseSourceKind } from "../base/random/noiseSource";
import { denoised, networkInputScale, predictions } from "../diffusion/prediction";
import { createSigmaTable, type SigmaTable } from "../diffusion/sigmaTable";
import { sizeEmbedding, wholePicture } from "../diffusion/sizeEmbedding";
import type { ActiveLora, LoadedModel, UnetConditions, UnetEvaluator } from "../models/loadedModel";
import { brownianNoise } from "./brownianNoise";
import { encodeSchedule, statesAt, type Conditioning, type PromptStates } from "./conditioning";
import { samplers } from "./index";
import { samplerMeta, type SamplerName } from "./meta";
import { planNegativePrompt, planPrompt } from "./prompt/plan";
import { samplerSigmas } from "./samplerSigmas";
import type { SigmaScheduleName } from "./sigmas/meta";

export interface TextToImageSettings {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly steps: number;
  readonly cfgScale: number;
  /** In pixels, multiples of 8. */
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly sampler: SamplerName;
  readonly scheduler: SigmaScheduleName | "automatic";
  readonly clipSkip: number;
  readonly randomSource: NoiseSourceKind;
}

export interface TextToImageOptions {
  /** Prompt text to token ids, without start and end. */
  readonly encode: (text: string) => number[];
  /** LoRAs acting on the model; see `models/lora/apply`. */
  readonly lora?: ActiveLora | undefined;
  /** Called before each step; throwing stops. */
  readonly onStep?: (step: number, total: number) => void | Promise<void>;
}

export interface GeneratedLatents {
  /** `[height/8, width/8, channels]`, scaled. */
  readonly latents: Float32Array<ArrayBuffer>;
  readonly height: number;
  readonly width: number;
  readonly sigmas: Float32Array;
}

/** Runs the sampler; the result still has to be decoded. */
export async function sampleLatents(
  model: LoadedModel,
  settings: TextToImageSettings,
  options: TextToImageOptions,
): Promise<GeneratedLatents> {
  const meta = samplerMeta[settings.sampler];
  const calls = { steps: settings.steps * (meta.secondOrder ? 2 : 1) };
  const encoding = { model, clipSkip: settings.clipSkip, encode: options.encode, lora: options.lora };
  const parts = planPrompt(settings.prompt, calls).parts;
  const negative = await encodeSchedule(planNegativePrompt(settings.negativePrompt, calls), {
    ...encoding,
    negative: true,
  });
  const positive: WeightedConditioning[] = [];
  for (const { schedule, weight } of parts)
    positive.push({ conditioning: await encodeSchedule(schedule, encoding), weight });

  const height = settings.height / 8;
  const width = settings.width / 8;
  const channels = model.config.vae.latentChannels;
  const table = createSigmaTable();
  const sigmas = samplerSigmas(settings.sampler, settings.scheduler, settings.steps, table);
  const guided = new GuidedModel(model, {
    height,
    width,
    channels,
    table,
    cfgScale: settings.cfgScale,
    positive,
    negative,
    lora: options.lora,
  });
  const source = createNoiseSource(settings.randomSource, settings.seed);
  const size = channels * height * width;
  const scale = meta.start === "sigma" ? (sigmas[0] ?? 1) : 1;
  const start = source.randn(size).map((value) => value * scale);
  const noise =
    meta.noise === "brownian"
      ? brownianNoise({ source: settings.randomSource, seed: settings.seed, size, ...noiseRange(sigmas) })
      : () => source.randn(size);
  const total = sigmas.length - 1;
  const latents = await samplers[settings.sampler](
    (x, sigma) => guided.denoise(x, sigma),
    start,
    sigmas,
    { noise },
    async ({ step }) => options.onStep?.(step + 1, total),
  );
  return { latents: channelsLast(latents, 1, channels, height * width), height, width, sigmas };
}

/** The Brownian path runs between the smallest and the largest noise level. */
function noiseRange(sigmas: Float32Array): { sigmaMin: number; sigmaMax: number } {
  return { sigmaMin: Math.min(...sigmas.filter((sigma) => sigma > 0)), sigmaMax: Math.max(...sigmas) };
}

/** Sampler, then decoder. @returns RGBA bytes, row-major. */
export async function textToImage(
  model: LoadedModel,
  settings: TextToImageSettings,
  options: TextToImageOptions,
): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const { latents, height, width } = await sampleLatents(model, settings, options);
  return toRgba(await model.decodeLatents(latents, height, width));
}

/** −1…1 with four channels → 8-bit RGBA; cut off, not rounded, as the web UI does. */
export function toRgba(image: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const bytes = new Uint8ClampedArray(image.length);
  for (let i = 0; i < image.length; i++) {
    const value = Math.min(1, Math.max(0, ((image[i] ?? 0) + 1) / 2));
    bytes[i] = i % 4 === 3 ? 255 : Math.floor(value * 255);
  }
  return bytes;
}

interface PromptText {
  readonly states: PromptStates;
  readonly tokens: number;
}

interface WeightedConditioning {
  readonly conditioning: Conditioning;
  readonly weight: number;
}

interface GuidedOptions {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly table: SigmaTable;
  readonly cfgScale: number;
  readonly positive: readonly WeightedConditioning[];
  readonly negative: Conditioning;
  readonly lora: ActiveLora | undefined;
}

/** The denoised estimate with guidance: uncond + Σ weight · cfg · (cond − uncond). Counts its calls, for edited prompts. */
class GuidedModel {
  readonly #model: LoadedModel;
  readonly #options: GuidedOptions;
  #call = 0;

  constructor(model: LoadedModel, options: GuidedOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** @param x `[channels, height, width]` */
  async denoise(x: Float32Array, sigma: number): Promise<Float32Array> {
    const { channels, height, width, table, cfgScale, positive, negative } = this.#options;
    const call = this.#call++;
    const scale = networkInputScale(sigma);
    const input = channelsLast(
      x.map((value) => value * scale),
      1,
      channels,
      height * width,
    );
    const timestep = table.sigmaToT(sigma);
    const texts = [negative, ...positive.map(({ conditioning }) => conditioning)].map((conditioning) => ({
      states: statesAt(conditioning, call),
      tokens: conditioning.tokens,
    }));
    const outputs = await this.#predict(input, timestep, texts);
    const estimates = outputs.map((output) =>
      denoised(
        predictions[this.#model.config.prediction],
        channelsFirst(output, 1, channels, height * width),
        x,
        sigma,
      ),
    );
    const [unconditional = new Float32Array(), ...conditional] = estimates;
    const result = unconditional.slice();
    conditional.forEach((estimate, part) => {
      const strength = (positive[part]?.weight ?? 1) * cfgScale;
      for (let i = 0; i < result.length; i++)
        result[i] = (result[i] ?? 0) + strength * ((estimate[i] ?? 0) - (unconditional[i] ?? 0));
    });
    return result;
  }

  /** Texts of one length share a batch. */
  async #predict(
    input: Float32Array<ArrayBuffer>,
    timestep: number,
    texts: readonly PromptText[],
  ): Promise<Float32Array[]> {
    const tokens = texts[0]?.tokens ?? 77;
    if (!texts.every((text) => text.tokens === tokens)) {
      const outputs: Float32Array[] = [];
      for (const text of texts) outputs.push(...(await this.#predict(input, timestep, [text])));
      return outputs;
    }
    const unet = await this.#unet(texts.length, tokens);
    const output = await unet.predict(
      concatenate(texts.map(() => input)),
      texts.map(() => timestep),
      this.#conditions(texts),
    );
    return texts.map((_, index) => output.subarray(index * input.length, (index + 1) * input.length));
  }

  /** The web UI says of every picture that it is whole and has the size it is made at. */
  #conditions(texts: readonly PromptText[]): UnetConditions {
    const { family, config } = this.#model;
    const { height, width } = this.#options;
    const pooled = texts.flatMap(({ states }) => states.pooled ?? []);
    const sizes = sizeEmbedding(wholePicture(8 * height, 8 * width), config.unet.sizeEmbeddingDim ?? 0);
    return {
      context: concatenate(texts.map(({ states }) => states.context)),
      ...(pooled.length > 0 && { pooled: concatenate(pooled) }),
      ...(family.sizesWidth(config) > 0 && { sizes: concatenate(texts.map(() => sizes)) }),
    };
  }

  #unet(batch: number, tokens: number): Promise<UnetEvaluator> {
    const { height, width, lora } = this.#options;
    return this.#model.unet({ batch, height, width, tokens }, lora);
  }
}
