/** From prompt texts to text states by step: attention, chunks, weights, as the web UI does it. */
import type { ActiveLora, LoadedModel } from "../models/loadedModel";
import { parseAttention } from "./prompt/attention";
import { chunkPrompt, type PromptChunk } from "./prompt/chunks";
import { applyEmphasis } from "./prompt/emphasis";
import { scheduleIndexAt, type ScheduledText } from "./prompt/schedule";

/** Text states of one prompt, changing over the steps when the prompt is edited. */
export interface Conditioning {
  readonly schedule: readonly ScheduledText[];
  /** One per entry of the schedule: `[tokens, width]`, all of one length. */
  readonly states: readonly Float32Array<ArrayBuffer>[];
  readonly tokens: number;
}

export interface TextEncoding {
  readonly model: LoadedModel;
  readonly clipSkip: number;
  readonly encode: (text: string) => number[];
  readonly lora: ActiveLora | undefined;
}

/** Encodes every text of a schedule together, chunk by chunk, so that they share one mean when weights are applied. */
export async function encodeSchedule(
  schedule: readonly ScheduledText[],
  encoding: TextEncoding,
): Promise<Conditioning> {
  const padToken = encoding.model.family.padToken === "eos" ? undefined : 0;
  const options = { encode: encoding.encode, ...(padToken !== undefined && { padToken }) };
  const texts = schedule.map(({ text }) => chunkPrompt(parseAttention(text), options).chunks);
  const count = Math.max(...texts.map((chunks) => chunks.length));
  const [empty] = chunkPrompt([], options).chunks;
  const width = encoding.model.config.unet.contextDim;
  const states = schedule.map(() => new Float32Array(count * 77 * width));
  for (let index = 0; index < count; index++) {
    const batch = texts.flatMap((chunks) => chunks[index] ?? empty ?? []);
    (await encodeChunks(batch, encoding)).forEach((chunk, text) =>
      states[text]?.set(chunk, index * 77 * width),
    );
  }
  return { schedule, states, tokens: 77 * count };
}

async function encodeChunks(
  chunks: readonly PromptChunk[],
  { model, clipSkip, lora }: TextEncoding,
): Promise<Float32Array[]> {
  const rows = await model.encodeText(
    chunks.map(({ tokens }) => tokens),
    clipSkip,
    lora,
  );
  const size = rows[0]?.length ?? 0;
  const joined = new Float32Array(size * rows.length);
  rows.forEach((row, index) => joined.set(row, index * size));
  const weighted = applyEmphasis(
    joined,
    chunks.map(({ multipliers }) => multipliers),
  );
  return rows.map((_, index) => weighted.slice(index * size, (index + 1) * size));
}

/** The states model call number `call` (from 0) uses. */
export function statesAt({ schedule, states }: Conditioning, call: number): Float32Array<ArrayBuffer> {
  return states[scheduleIndexAt(schedule, call)] ?? new Float32Array();
}
