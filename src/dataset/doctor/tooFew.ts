/** Too few pictures: what that costs, by what is to be learned. */
import type { Check, Examination } from "./types";

/** Below this the doctor speaks up, below the second it worries. */
const wanted = 30;
const needed = { style: 15, character: 8, concept: 8 } as const;

const meaning: Record<Examination["preset"], string> = {
  style:
    "A style needs many subjects: with few, it learns what they show along with the look, and draws them again",
  character: "A character can do with fewer, when poses, backgrounds and distances differ in each",
  concept: "A concept can do with fewer, when everything but the thing itself differs in each",
};

export const tooFew: Check = ({ patients, preset }) => {
  const count = patients.length;
  if (count === 0 || count >= wanted) return undefined;
  const isPoor = count < needed[preset];
  return {
    kind: "too-few",
    severity: isPoor ? "problem" : "hint",
    title: count === 1 ? "There is only 1 picture" : `There are only ${count} pictures`,
    why: `${meaning[preset]}. Around ${wanted} is a good number; below ${needed[preset]} train fewer steps and watch the samples, or the LoRA knows the pictures by heart.`,
    pictures: [],
    action: "add-pictures",
  };
};
