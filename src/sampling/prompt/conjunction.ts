/** AND: several prompts for one picture, each with its weight. */
import type { WeightedText } from "./attention";

const AND = /(?<![\p{L}\p{N}_])AND(?![\p{L}\p{N}_])/u;
/** The text, and perhaps `: weight` at its end. */
const PART = /^([\s\S]*?)(?:\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+)))?\s*$/;

/** @returns at least one part; white space at a part's end is dropped. */
export function splitConjunction(prompt: string): WeightedText[] {
  return prompt.split(AND).map((part) => {
    const [, text = part, weight] = PART.exec(part) ?? [];
    return { text, weight: weight === undefined ? 1 : Number(weight) };
  });
}
