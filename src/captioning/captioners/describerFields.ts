/** Settings of describers. */
import type { Fields, NumberField, ToggleField } from "../settings";

const maxTokens: NumberField = {
  kind: "number",
  label: "Longest caption",
  help: "In tokens; a text encoder row holds 75.",
  initial: 100,
  min: 10,
  max: 512,
  step: 1,
};

const firstSentence: ToggleField = { kind: "toggle", label: "Only the first sentence", initial: false };

/** Florence-2's three lengths; what it is asked is fixed. */
export const describerFields = {
  detail: {
    kind: "choice",
    label: "Detail",
    initial: "<DETAILED_CAPTION>",
    options: [
      { value: "<CAPTION>", label: "A short sentence" },
      { value: "<DETAILED_CAPTION>", label: "In detail" },
      { value: "<MORE_DETAILED_CAPTION>", label: "A paragraph" },
    ],
  },
  maxTokens,
  firstSentence,
} as const satisfies Fields;

export const instructedFields = {
  instruction: {
    kind: "text",
    label: "Instruction",
    help: "What your preset leaves out is added to it.",
    initial: "Describe this picture in one sentence, as a caption for training an image model.",
  },
  maxTokens,
  firstSentence,
} as const satisfies Fields;
