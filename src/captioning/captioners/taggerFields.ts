/** Settings of taggers; the thresholds are sd-scripts'. */
import type { Fields } from "../settings";

export const taggerFields = {
  generalThreshold: { kind: "number", label: "Threshold", initial: 0.35, min: 0.05, max: 0.95, step: 0.01 },
  characterThreshold: {
    kind: "number",
    label: "Threshold for characters",
    initial: 0.85,
    min: 0.05,
    max: 1,
    step: 0.01,
  },
  mcutGeneral: {
    kind: "toggle",
    label: "Let the largest gap decide",
    help: "Maximum cut thresholding instead of the threshold.",
    initial: false,
  },
  mcutCharacter: { kind: "toggle", label: "The same for characters", initial: false },
  maxTags: {
    kind: "number",
    label: "Most tags",
    help: "0: no limit.",
    initial: 0,
    min: 0,
    max: 200,
    step: 1,
  },
  removeUnderscores: {
    kind: "toggle",
    label: "Spaces instead of underscores",
    help: "Faces such as ^_^ keep theirs.",
    initial: true,
  },
  rating: {
    kind: "choice",
    label: "Rating tag",
    initial: "none",
    options: [
      { value: "none", label: "None" },
      { value: "first", label: "First" },
      { value: "last", label: "Last" },
    ],
  },
  characterFirst: { kind: "toggle", label: "Characters first", initial: false },
  expandCharacters: {
    kind: "toggle",
    label: "Split “name (series)” in two",
    initial: false,
  },
  sortByProbability: {
    kind: "toggle",
    label: "Most probable first",
    help: "Otherwise in the model's order, as sd-scripts has it.",
    initial: false,
  },
  clean: {
    kind: "toggle",
    label: "Clean up tags",
    help: "sd-scripts' rules: “shirt” goes beside “white shirt”; with several people, hair and eyes go.",
    initial: false,
  },
  escapeBrackets: { kind: "toggle", label: "Backslash before brackets", initial: false },
  undesired: {
    kind: "text",
    label: "Never these tags",
    placeholder: "e.g. simple background, signature",
    initial: "",
  },
  alwaysFirst: { kind: "text", label: "These first", placeholder: "e.g. 1girl", initial: "" },
} as const satisfies Fields;
