/**
 * A prompt from text to what has to be encoded, in the web UI's order: comments out, network tags out, AND apart, editing
 * expanded by step. Attention and chunks come later, per text (`parseAttention`, `chunkPrompt`).
 */
import { stripComments } from "./comments";
import { splitConjunction } from "./conjunction";
import { extractNetworkTags, isLoraTag, loraOfTag } from "./extraNetworks";
import type { LoraRequest } from "./extraNetworks";
import { expandSchedule } from "./schedule";
import type { ScheduledText, ScheduleOptions } from "./schedule";

export interface PromptPart {
  weight: number;
  schedule: ScheduledText[];
}

export interface PromptPlan {
  /** In the order written; the same name may come twice. */
  loras: LoraRequest[];
  /** One per AND part. */
  parts: PromptPart[];
}

/** @throws WeftError when a LoRA tag's strength is not a number. */
export function planPrompt(prompt: string, options: ScheduleOptions): PromptPlan {
  const { text, tags } = extractNetworkTags(stripComments(prompt));
  const parts = splitConjunction(text);
  return {
    loras: tags.filter(isLoraTag).map(loraOfTag),
    parts: parts.map(({ text: part, weight }) => ({ weight, schedule: expandSchedule(part, options) })),
  };
}

/** A negative prompt: tags and AND mean nothing there. */
export function planNegativePrompt(prompt: string, options: ScheduleOptions): ScheduledText[] {
  return expandSchedule(stripComments(prompt), options);
}
