/** `prompt`: attention, editing schedules, AND, network tags, chunks. */
import { parseAttention } from "../../../src/sampling/prompt/attention";
import { chunkPrompt } from "../../../src/sampling/prompt/chunks";
import { splitConjunction } from "../../../src/sampling/prompt/conjunction";
import { extractNetworkTags, loraOfTag } from "../../../src/sampling/prompt/extraNetworks";
import type { NetworkTag } from "../../../src/sampling/prompt/extraNetworks";
import { expandSchedule } from "../../../src/sampling/prompt/schedule";
import { loadClipTokenizer } from "../../lib/clipTokenizer";
import { Checks, toleranceOf } from "../compare";
import type { Tolerance } from "../compare";
import type { VerifyKind } from "../types";

type WeightedPair = [text: string, weight: number];

interface PromptCase {
  params: { comma_padding_backtrack: number };
  attention?: { prompt: string; parsed: WeightedPair[] }[];
  schedules?: { prompt: string; steps: number; schedule: [number, string][] }[];
  hires_schedules?: { prompt: string; steps: number; hires_steps: number; schedule: [number, string][] }[];
  and?: { prompt: string; parts: WeightedPair[] }[];
  lora_tags?: {
    prompt: string;
    stripped: string;
    loras: object[];
    other_networks: Record<string, string[][]>;
  }[];
  chunks?: { prompt: string; token_count: number; chunks: { tokens: number[]; multipliers: number[] }[] }[];
}

type Golden<K extends keyof PromptCase> = NonNullable<PromptCase[K]>;

/** Texts must be equal, weights close. */
function checkPairs(
  what: string,
  actual: { text: string; weight: number }[],
  expected: WeightedPair[],
  checks: Checks,
  limit: Tolerance,
): void {
  checks.equal(
    `${what} texts`,
    actual.map((a) => a.text),
    expected.map(([text]) => text),
  );
  checks.close(
    `${what} weights`,
    actual.map((a) => a.weight),
    expected.map(([, weight]) => weight),
    limit,
  );
}

function checkSchedules(rows: Golden<"schedules"> | Golden<"hires_schedules">, checks: Checks): void {
  for (const row of rows) {
    const hires = "hires_steps" in row ? { hiresSteps: row.hires_steps } : {};
    const schedule = expandSchedule(row.prompt, { steps: row.steps, ...hires });
    checks.equal(
      `schedule of "${row.prompt}"`,
      schedule.map(({ end, text }) => [end, text]),
      row.schedule,
    );
  }
}

/** The golden data keeps other tags apart by kind. */
function othersByKind(tags: NetworkTag[]): Record<string, string[][]> {
  const kinds = new Map<string, string[][]>();
  for (const { kind, positional } of tags) {
    if (kind !== "lora") kinds.set(kind, [...(kinds.get(kind) ?? []), positional]);
  }
  return Object.fromEntries(kinds);
}

function checkTags(rows: Golden<"lora_tags">, checks: Checks): void {
  for (const row of rows) {
    const { text, tags } = extractNetworkTags(row.prompt);
    checks.equal(`"${row.prompt}" without tags`, text, row.stripped);
    checks.equal(
      `loras of "${row.prompt}"`,
      tags.filter((tag) => tag.kind === "lora").map(loraOfTag),
      row.loras,
    );
    checks.equal(`other networks of "${row.prompt}"`, othersByKind(tags), row.other_networks);
  }
}

async function checkChunks(
  rows: Golden<"chunks">,
  commaBacktrack: number,
  checks: Checks,
  limit: Tolerance,
): Promise<void> {
  const tokenizer = await loadClipTokenizer();
  for (const row of rows) {
    const what = `chunks of "${row.prompt.slice(0, 40)}"`;
    const { chunks, tokenCount } = chunkPrompt(parseAttention(row.prompt), {
      encode: tokenizer.encode,
      commaBacktrack,
    });
    checks.equal(`${what}, count`, tokenCount, row.token_count);
    checks.equal(
      `${what}, tokens`,
      chunks.map((c) => c.tokens),
      row.chunks.map((c) => c.tokens),
    );
    checks.close(
      `${what}, weights`,
      chunks.flatMap((c) => c.multipliers),
      row.chunks.flatMap((c) => c.multipliers),
      limit,
    );
  }
}

export const kind: VerifyKind = {
  name: "prompt",
  async run(c) {
    const golden = c.case as unknown as PromptCase;
    const checks = new Checks();
    const limit = toleranceOf(c.case);
    for (const { prompt, parsed } of golden.attention ?? []) {
      checkPairs(`attention of "${prompt}"`, parseAttention(prompt), parsed, checks, limit);
    }
    checkSchedules(golden.schedules ?? [], checks);
    checkSchedules(golden.hires_schedules ?? [], checks);
    for (const { prompt, parts } of golden.and ?? []) {
      checkPairs(`AND of "${prompt}"`, splitConjunction(prompt), parts, checks, limit);
    }
    checkTags(golden.lora_tags ?? [], checks);
    await checkChunks(golden.chunks ?? [], golden.params.comma_padding_backtrack, checks, limit);
    return checks.outcome();
  },
};
