/** Expands prompt editing into texts by step, as the web UI does. */
import { parseSchedule } from "./scheduleGrammar";
import type { PromptNode } from "./scheduleGrammar";

/** The text used up to and including step `end` (1-based). */
export interface ScheduledText {
  end: number;
  text: string;
}

export interface ScheduleOptions {
  /** Steps of the first pass, as many as the denoiser is called: double for second-order samplers. */
  steps: number;
  /** Set for the second pass of hires fix: its steps. */
  hiresSteps?: number;
  /** The rule of web UI versions before 1.6: `when` < 1 is a share, whatever its spelling; both passes alike. */
  oldRule?: boolean;
}

/** How `when` turns into a step of the pass. */
interface Pass {
  steps: number;
  switchStep(when: string): number;
}

function passOf({ steps: baseSteps, hiresSteps, oldRule }: ScheduleOptions): Pass {
  const steps = hiresSteps ?? baseSteps;
  const upTo = (step: number) => Math.min(steps, Math.trunc(step));
  if (oldRule)
    return { steps, switchStep: (when) => upTo(Number(when) < 1 ? Number(when) * steps : Number(when)) };
  const second = hiresSteps !== undefined;
  return {
    steps,
    switchStep(when) {
      if (when.includes(".")) return upTo((Number(when) - (second ? 1 : 0)) * steps);
      return upTo(Number(when) - (second ? baseSteps : 0));
    },
  };
}

/** Adds the steps at which the text changes. */
function collectEnds(nodes: readonly PromptNode[], pass: Pass, ends: Set<number>): void {
  for (const node of nodes) {
    if (node.kind === "group") collectEnds(node.parts, pass, ends);
    if (node.kind === "scheduled") {
      ends.add(pass.switchStep(node.when));
      collectEnds([...node.from, ...node.to], pass, ends);
    }
    if (node.kind === "alternate") {
      for (let step = 1; step <= pass.steps; step++) ends.add(step);
    }
  }
}

function textAt(nodes: readonly PromptNode[], step: number, pass: Pass): string {
  return nodes.map((node) => nodeTextAt(node, step, pass)).join("");
}

function nodeTextAt(node: PromptNode, step: number, pass: Pass): string {
  if (node.kind === "text") return node.text;
  if (node.kind === "group") return textAt(node.parts, step, pass);
  if (node.kind === "alternate")
    return textAt(node.options[(step - 1) % node.options.length] ?? [], step, pass);
  return textAt(step <= pass.switchStep(node.when) ? node.from : node.to, step, pass);
}

/** @returns texts by ascending `end`; the last end is the number of steps of the pass. */
export function expandSchedule(prompt: string, options: ScheduleOptions): ScheduledText[] {
  const pass = passOf(options);
  const nodes = parseSchedule(prompt);
  if (!nodes) return [{ end: pass.steps, text: prompt }];
  const ends = new Set([pass.steps]);
  collectEnds(nodes, pass, ends);
  return [...ends]
    .filter((end) => end >= 1)
    .sort((a, b) => a - b)
    .map((end) => ({ end, text: textAt(nodes, end, pass) }));
}

/** Index of the entry that model call number `call` (from 0) uses. */
export function scheduleIndexAt(schedule: readonly ScheduledText[], call: number): number {
  const index = schedule.findIndex(({ end }) => call <= end);
  return index === -1 ? schedule.length - 1 : index;
}
