/** `<lora:name:0.8>` and its like: found in a prompt and taken out of it. */
import { WeftError } from "../../base/errors";

/** One `<kind:…>` tag. */
export interface NetworkTag {
  kind: string;
  /** Arguments without `=`, the name first. */
  positional: string[];
  named: Map<string, string>;
}

export interface LoraRequest {
  name: string;
  /** Strength on the text encoder. */
  te: number;
  /** Strength on the UNet. */
  unet: number;
}

const TAG = /<([\p{L}\p{N}_]+):([^>]+)>/gu;

function parseTag(kind: string, args: string): NetworkTag {
  const tag: NetworkTag = { kind, positional: [], named: new Map() };
  for (const argument of args.split(":")) {
    const [key = "", value, ...more] = argument.split("=");
    if (value === undefined || more.length > 0) tag.positional.push(argument);
    else tag.named.set(key, value);
  }
  return tag;
}

/** @returns the prompt without its tags, and the tags in the order written. */
export function extractNetworkTags(prompt: string): { text: string; tags: NetworkTag[] } {
  const tags = [...prompt.matchAll(TAG)].map(([, kind = "", args = ""]) => parseTag(kind, args));
  return { text: prompt.replaceAll(TAG, ""), tags };
}

/** True for the tags that mean a LoRA. */
export function isLoraTag({ kind }: NetworkTag): boolean {
  return kind === "lora" || kind === "lyco";
}

/**
 * `<lora:name:te:unet>`: the first number is for the text encoder and, where no second is given, for both.
 * @throws WeftError when a strength is not a number.
 */
export function loraOfTag({ positional, named }: NetworkTag): LoraRequest {
  const name = positional[0] ?? "";
  const number = (text: string | undefined, otherwise: number) => {
    if (text === undefined) return otherwise;
    const value = text.trim() === "" ? NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw new WeftError(
      "lora-tag",
      `<lora:${name}…>: "${text}" is not a strength.`,
      "Write a number, such as 0.8.",
    );
  };
  const te = number(named.get("te"), number(positional[1], 1));
  return { name, te, unet: number(named.get("unet"), number(positional[2], te)) };
}
