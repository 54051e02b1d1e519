/**
 * Describers: vision-language models through transformers.js. It loads every file through `env.fetch`, which is ours,
 * so that it can reach nothing but the files the person chose: no host, no cache of its own.
 */
import {
  AutoModelForImageTextToText,
  AutoProcessor,
  Florence2ForConditionalGeneration,
  RawImage,
  StoppingCriteria,
  env,
  type PreTrainedModel,
  type Processor,
  type Tensor,
} from "@huggingface/transformers";
import { WeftError } from "../../base/errors";
import type { Pixels } from "../../dataset/pixels";
import { withoutLook, type LeaveOut } from "../presets";
import { fitSettings } from "../settings";
import type { Captioner, CaptionerContext, CaptionResult } from "../types";
import { describerFields, instructedFields } from "./describerFields";

/** No such host exists: a request that escaped us would fail, not leak. */
const host = "https://model.invalid/";
const modelName = "weft/model";
const prefix = `${host}${modelName}/resolve/main/`;

function useFilesOf(context: CaptionerContext): void {
  env.allowLocalModels = false;
  env.allowRemoteModels = true;
  env.remoteHost = host;
  env.useBrowserCache = false;
  env.useFSCache = false;
  env.useWasmCache = false;
  env.fetch = async (address: string | URL | Request) => {
    const url = address instanceof Request ? address.url : String(address);
    const path = decodeURIComponent(url.slice(prefix.length));
    if (!url.startsWith(prefix)) return new Response(null, { status: 403 });
    try {
      const bytes = await context.file(path);
      return new Response(bytes, { headers: { "content-length": String(bytes.length) } });
    } catch (error) {
      if (error instanceof WeftError && error.code === "model-file-missing")
        return new Response(null, { status: 404 });
      throw error;
    }
  };
}

type Precision = "fp32" | "fp16" | "q8" | "int8" | "uint8" | "q4" | "q4f16" | "bnb4";

const suffixes: Record<Precision, string> = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
};

/** Big weights of a describer in the smallest form that keeps its quality; 16-bit floats where the GPU has them. */
async function precisionOf(
  { hasFile, device }: CaptionerContext,
  part: string,
  smallest: Precision,
): Promise<Precision> {
  const usable = (precision: Precision): boolean => device.f16 || !device.gpu || !precision.includes("f16");
  const wanted: Precision[] = [smallest, "fp16", "fp32", "q8", "q4", "q4f16", "int8", "uint8", "bnb4"];
  for (const precision of wanted.filter(usable))
    if (await hasFile(`onnx/${part}${suffixes[precision]}.onnx`)) return precision;
  throw new WeftError(
    "model-file-missing",
    `The model has no file "onnx/${part}.onnx", in no precision.`,
    "Choose the model's whole folder, as transformers.js uses it.",
  );
}

async function precisions(
  context: CaptionerContext,
  parts: Readonly<Record<string, Precision>>,
): Promise<Record<string, Precision>> {
  const chosen = await Promise.all(
    Object.entries(parts).map(
      async ([part, smallest]) => [part, await precisionOf(context, part, smallest)] as const,
    ),
  );
  return Object.fromEntries(chosen);
}

interface Loaded {
  processor: Processor;
  model: PreTrainedModel;
}

interface ModelClass {
  from_pretrained(name: string, options: object): Promise<PreTrainedModel>;
}

async function load(
  context: CaptionerContext,
  kind: ModelClass,
  parts: Readonly<Record<string, Precision>>,
): Promise<Loaded> {
  useFilesOf(context);
  const dtype = await precisions(context, parts);
  const device = context.device.gpu ? "webgpu" : "wasm";
  try {
    const processor = await AutoProcessor.from_pretrained(modelName);
    const model = await kind.from_pretrained(modelName, { dtype, device });
    return { processor, model };
  } catch (error) {
    if (error instanceof WeftError) throw error;
    context.checkpoint();
    const detail = error instanceof Error ? error.message : String(error);
    throw new WeftError(
      "describer-failed",
      `The model could not be loaded: ${detail.slice(0, 300)}`,
      "Check that its files are complete, or choose another model.",
    );
  }
}

function rawImage({ data, width, height, channels }: Pixels): RawImage {
  return new RawImage(new Uint8ClampedArray(data), width, height, channels);
}

/** Looked at after every token. */
class StopWhenCancelled extends StoppingCriteria {
  #check: () => void;

  constructor(check: () => void) {
    super();
    this.#check = check;
  }

  override _call(sequences: number[][]): boolean[] {
    let stop = false;
    try {
      this.#check();
    } catch {
      stop = true;
    }
    return sequences.map(() => stop);
  }
}

/** @param promptLength tokens at the front that are not the answer */
async function generate(
  { model, processor }: Loaded,
  context: CaptionerContext,
  inputs: object,
  maxTokens: number,
  promptLength: number,
): Promise<string> {
  const stopping = new StopWhenCancelled(() => context.checkpoint());
  const options = { ...inputs, max_new_tokens: maxTokens, stopping_criteria: stopping };
  const ids = (await model.generate(options)) as Tensor;
  context.checkpoint();
  const answer = ids.slice(null, [promptLength, ids.dims.at(-1) ?? promptLength]);
  const [text = ""] = processor.batch_decode(answer, { skip_special_tokens: true });
  return text.replace(/\s+/g, " ").trim();
}

/** One line, without the full stop that would stand before a comma. */
function asCaption(text: string, firstSentence: boolean, leaveOut: LeaveOut): CaptionResult {
  const sentence = firstSentence ? (/^.*?[.!?](?=\s|$)/.exec(text)?.[0] ?? text) : text;
  const plain = leaveOut.aspects.has("look") ? withoutLook(sentence) : sentence;
  return { caption: plain.replace(/\.$/, "").trim(), phrases: [] };
}

export async function openFlorence2(
  context: CaptionerContext,
  stored: unknown,
  leaveOut: LeaveOut,
): Promise<Captioner> {
  const { detail, maxTokens, firstSentence } = fitSettings(describerFields, stored);
  const loaded = await load(context, Florence2ForConditionalGeneration, {
    vision_encoder: "fp16",
    embed_tokens: "fp16",
    encoder_model: "q4",
    decoder_model_merged: "q4",
  });
  const processor = loaded.processor as Processor & { construct_prompts(task: string): string[] };
  return {
    caption: async ({ pixels }) => {
      const inputs = (await processor(rawImage(pixels), processor.construct_prompts(detail))) as object;
      return asCaption(await generate(loaded, context, inputs, maxTokens, 0), firstSentence, leaveOut);
    },
    release: async () => void (await loaded.model.dispose()),
  };
}

export async function openSmolVlm(
  context: CaptionerContext,
  stored: unknown,
  leaveOut: LeaveOut,
): Promise<Captioner> {
  const { instruction, maxTokens, firstSentence } = fitSettings(instructedFields, stored);
  const loaded = await load(context, AutoModelForImageTextToText, {
    vision_encoder: "fp16",
    embed_tokens: "fp16",
    decoder_model_merged: "q4",
  });
  const { processor } = loaded;
  const text = `${instruction} ${leaveOut.instruction}`.trim();
  const content = [{ type: "image" }, { type: "text", text }];
  const prompt = processor.apply_chat_template([{ role: "user", content }] as never, {
    add_generation_prompt: true,
  });
  return {
    caption: async ({ pixels }) => {
      // In pieces a picture would be looked at up to seventeen times, enlarged: for captions once, as a whole, is enough.
      const inputs = (await processor(prompt, [rawImage(pixels)], { do_image_splitting: false })) as {
        input_ids: Tensor;
      };
      const length = inputs.input_ids.dims.at(-1) ?? 0;
      // The instruction has said what to leave out; small models forget it now and then.
      return asCaption(await generate(loaded, context, inputs, maxTokens, length), firstSentence, leaveOut);
    },
    release: async () => void (await loaded.model.dispose()),
  };
}
