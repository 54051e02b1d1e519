/** A picture for a prompt: LoRA tags resolved, sampled, decoded, written as a PNG that remembers how it was made. */
import { WeftError } from "../../base/errors";
import { readLora } from "../../formats/lora/read";
import { buildInfotext, INFOTEXT_KEYWORD } from "../../formats/png/infotext";
import { withPngText } from "../../formats/png/text";
import { fromBytes } from "../../formats/safetensors/source";
import type { ClipTokenizer } from "../../formats/tokenizer/clipTokenizer";
import type { LoraStack, LoraUse } from "../../models/lora/apply";
import type { LoraMatrices } from "../../models/lora/flatValues";
import type { LoadedModel } from "../../models/loadedModel";
import { samplerMeta, type SamplerName } from "../../sampling/meta";
import { planPrompt } from "../../sampling/prompt/plan";
import { sigmaScheduleMeta, type SigmaScheduleName } from "../../sampling/sigmas/meta";
import { textToImage, type TextToImageSettings } from "../../sampling/textToImage";
import type { GeneratedImage, GenerateEvent, GenerateRequest } from "./api";

/** RGBA bytes → PNG bytes; the browser's encoder in the worker, a library's in Node. */
export type EncodePng = (
  rgba: Uint8ClampedArray<ArrayBuffer>,
  width: number,
  height: number,
) => Promise<Uint8Array<ArrayBuffer>>;

export interface GenerateTools {
  readonly model: LoadedModel;
  readonly modelHash: string;
  readonly stack: LoraStack;
  readonly tokenizer: ClipTokenizer;
  readonly encodePng: EncodePng;
  /** The run in progress: its name in prompts, and its weights as they are now. */
  readonly live?: { readonly name: string; readonly matrices: readonly LoraMatrices[] };
  readonly onEvent: (event: GenerateEvent) => void;
  /** Called before each step; throwing stops. */
  readonly onStep?: () => void | Promise<void>;
}

type PictureRequest = Omit<GenerateRequest, "modelId">;

/**
 * @throws WeftError `lora-unknown` when the prompt names a LoRA that is not given, `size` for edges that are no
 *   multiple of 8, `sampler` for an unknown sampler or schedule
 */
export async function generatePicture(
  request: PictureRequest,
  tools: GenerateTools,
): Promise<GeneratedImage> {
  const started = performance.now();
  const settings = settingsOf(request);
  tools.onEvent({ kind: "stage", stage: "loading" });
  const uses = await loraUses(request, settings, tools);
  const lora = await tools.stack.use(uses);
  tools.onEvent({ kind: "stage", stage: "compiling" });
  const rgba = await textToImage(tools.model, settings, {
    encode: tools.tokenizer.encode,
    lora,
    onStep: async (step, total) => {
      tools.onEvent({ kind: "progress", step, total });
      if (step === total) tools.onEvent({ kind: "stage", stage: "decoding" });
      await tools.onStep?.();
    },
  });
  const infotext = infotextOf(settings, tools);
  const png = await withPngText(
    await tools.encodePng(rgba, settings.width, settings.height),
    INFOTEXT_KEYWORD,
    infotext,
  );
  const { width, height, seed } = settings;
  return { png, width, height, seed, infotext, seconds: (performance.now() - started) / 1000 };
}

function settingsOf(request: PictureRequest): TextToImageSettings {
  const { width, height } = request;
  if (width % 8 !== 0 || height % 8 !== 0 || width < 64 || height < 64) {
    throw new WeftError(
      "size",
      `A picture of ${width} × ${height} cannot be made.`,
      "Both edges must be multiples of 8, and at least 64.",
    );
  }
  return {
    ...request,
    sampler: samplerNamed(request.sampler),
    scheduler: scheduleNamed(request.scheduler),
    randomSource: "NV",
  };
}

/** By key (`euler_a`) or by the web UI's label (`Euler a`). */
function samplerNamed(text: string): SamplerName {
  const names = Object.keys(samplerMeta) as SamplerName[];
  const found = names.find(
    (name) => name === text || samplerMeta[name].label.toLowerCase() === text.toLowerCase(),
  );
  if (found) return found;
  throw new WeftError(
    "sampler",
    `There is no sampler "${text}".`,
    `Use one of: ${names.map((name) => samplerMeta[name].label).join(", ")}.`,
  );
}

function scheduleNamed(text: string): SigmaScheduleName | "automatic" {
  if (text === "" || text.toLowerCase() === "automatic") return "automatic";
  const names = Object.keys(sigmaScheduleMeta) as SigmaScheduleName[];
  const found = names.find(
    (name) => name === text || sigmaScheduleMeta[name].label.toLowerCase() === text.toLowerCase(),
  );
  if (found) return found;
  throw new WeftError(
    "sampler",
    `There is no schedule "${text}".`,
    `Use one of: automatic, ${names.join(", ")}.`,
  );
}

async function loraUses(
  request: PictureRequest,
  settings: TextToImageSettings,
  { model, live }: GenerateTools,
): Promise<LoraUse[]> {
  const uses: LoraUse[] = [];
  for (const { name, unet, te } of planPrompt(settings.prompt, { steps: settings.steps }).loras) {
    if (unet === 0 && te === 0) continue;
    if (live && name === live.name) {
      uses.push({ lora: live.matrices, unet, te });
      continue;
    }
    const file = request.loras.find((one) => one.name === name);
    if (!file)
      throw new WeftError(
        "lora-unknown",
        `The prompt names the LoRA "${name}", which is not here.`,
        "Check the spelling, or add its file.",
      );
    uses.push({ lora: await readLora(fromBytes(file.bytes, `${name}.safetensors`), model.config), unet, te });
  }
  return uses;
}

function infotextOf(settings: TextToImageSettings, { model, modelHash }: GenerateTools): string {
  const meta = samplerMeta[settings.sampler];
  const schedule =
    settings.scheduler === "automatic" ? "Automatic" : sigmaScheduleMeta[settings.scheduler].label;
  const fields = new Map([
    ["Steps", String(settings.steps)],
    ["Sampler", meta.label],
    ["Schedule type", schedule],
    ["CFG scale", String(settings.cfgScale)],
    ["Seed", String(settings.seed)],
    ["Size", `${settings.width}x${settings.height}`],
    ["Model hash", modelHash.slice(0, 10)],
    ["Model", model.title.replace(/\.safetensors$/, "")],
    ...(settings.clipSkip > 1 ? [["Clip skip", String(settings.clipSkip)] as const] : []),
    ["RNG", "NV"],
    ["Version", "weft"],
  ] as const);
  return buildInfotext({ prompt: settings.prompt, negativePrompt: settings.negativePrompt, fields });
}
