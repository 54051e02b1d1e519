/** From prompt texts to text states by step: attention, chunks, weights, as the web UI does it. */
import { invariant } from "../base/errors";
import { concatenate } from "../base/layout";
import type { ActiveLora, LoadedModel } from "../models/loadedModel";
import { parseAttention } from "./prompt/attention";
import { chunkPrompt, type PromptChunk } from "./prompt/chunks";
import { applyEmphasis } from "./prompt/emphasis";
import { scheduleIndexAt, type ScheduledText } from "./prompt/schedule";

/** What the UNet is told of one prompt, changing over the steps when the prompt is edited. */
export interface Conditioning {
  readonly schedule: readonly ScheduledText[];
  /** One per entry of the schedule. */
  readonly states: readonly PromptStates[];
  readonly tokens: number;
}

/** States of one text. */
export interface PromptStates {
  /** `[tokens, width]`, all of one length in a schedule. */
  readonly context: Float32Array<ArrayBuffer>;
  /** Of the first chunk, never weighted; in families that have it. */
  readonly pooled?: Float32Array<ArrayBuffer>;
}

export interface TextEncoding {
  readonly model: LoadedModel;
  readonly clipSkip: number;
  readonly encode: (text: string) => number[];
  readonly lora: ActiveLora | undefined;
  /** Whether this is what the picture should not show. */
  readonly negative?: boolean;
}

/**
 * Encodes every text of a schedule together, chunk by chunk, so that they share one mean when weights are applied.
 *
 * An empty negative prompt of SDXL is all zeros, as in the web UI.
 */
export async function encodeSchedule(
  schedule: readonly ScheduledText[],
  encoding: TextEncoding,
): Promise<Conditioning> {
  const options = { encode: encoding.encode };
  const texts = schedule.map(({ text }) => chunkPrompt(parseAttention(text), options).chunks);
  const count = Math.max(...texts.map((chunks) => chunks.length));
  const [empty] = chunkPrompt([], options).chunks;
  const width = encoding.model.config.unet.contextDim;
  const contexts = schedule.map(() => new Float32Array(count * 77 * width));
  const pooled: (Float32Array<ArrayBuffer> | undefined)[] = [];
  for (let index = 0; index < count; index++) {
    const batch = texts.flatMap((chunks) => chunks[index] ?? empty ?? []);
    (await encodeChunks(batch, encoding)).forEach((chunk, text) => {
      contexts[text]?.set(chunk.context, index * 77 * width);
      if (index === 0) pooled[text] = chunk.pooled;
    });
  }
  const isZero =
    encoding.negative === true &&
    encoding.model.family.zeroEmptyNegative &&
    schedule.every(({ text }) => text === "");
  const states = contexts.map((context, text) => ({ context, ...withPooled(pooled[text]) }));
  return { schedule, states: isZero ? states.map(zeroed) : states, tokens: 77 * count };
}

async function encodeChunks(
  chunks: readonly PromptChunk[],
  { model, clipSkip, lora }: TextEncoding,
): Promise<PromptStates[]> {
  const rows = await model.encodeText(
    chunks.map(({ tokens }) => tokens),
    model.clipSkip(clipSkip),
    lora,
  );
  const size = rows[0]?.context.length ?? 0;
  const joined = concatenate(rows.map(({ context }) => context));
  const { text, text2 } = model.config;
  const weighted = applyEmphasis(
    joined,
    chunks.map(({ multipliers }) => multipliers),
    { widths: text2 ? [text.hidden, text2.hidden] : [text.hidden] },
  );
  return rows.map(({ pooled }, index) => ({
    context: weighted.slice(index * size, (index + 1) * size),
    ...withPooled(pooled),
  }));
}

function withPooled(pooled: Float32Array<ArrayBuffer> | undefined): Pick<PromptStates, "pooled"> {
  return pooled ? { pooled } : {};
}

function zeroed({ context, pooled }: PromptStates): PromptStates {
  return {
    context: new Float32Array(context.length),
    ...withPooled(pooled && new Float32Array(pooled.length)),
  };
}

/** The states model call number `call` (from 0) uses. */
export function statesAt({ schedule, states }: Conditioning, call: number): PromptStates {
  const found = states[scheduleIndexAt(schedule, call)];
  invariant(found, () => `no text states for call ${call}`);
  return found;
}
