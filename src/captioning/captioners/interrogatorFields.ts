/** Settings of the interrogator, with CLIP Interrogator's defaults but for `intermediate` (see its help). */
import type { Fields } from "../settings";

export const interrogatorFields = {
  mode: {
    kind: "choice",
    label: "Mode",
    initial: "fast",
    options: [
      { value: "fast", label: "Fast: the best phrases at once" },
      { value: "classic", label: "Classic: one of each kind, three flavors" },
      { value: "best", label: "Best: phrase by phrase, slow" },
      { value: "negative", label: "Negative: what it is not" },
    ],
  },
  maxFlavors: { kind: "number", label: "Most phrases", initial: 32, min: 1, max: 64, step: 1 },
  minFlavors: {
    kind: "number",
    label: "Least phrases",
    help: "Best mode adds so many even when they do not help.",
    initial: 8,
    min: 0,
    max: 32,
    step: 1,
  },
  classicFlavors: { kind: "number", label: "Flavors in classic mode", initial: 3, min: 0, max: 32, step: 1 },
  intermediate: {
    kind: "number",
    label: "Candidates",
    help: "Best mode tries each of these in every round; CLIP Interrogator has 2048.",
    initial: 512,
    min: 16,
    max: 4096,
    step: 16,
  },
  chunkSize: {
    kind: "number",
    label: "Chunk size",
    help: "Longer lists are ranked in pieces of this size.",
    initial: 2048,
    min: 64,
    max: 8192,
    step: 64,
  },
  useExisting: {
    kind: "toggle",
    label: "Begin with the caption that is there",
    help: "Where no describer gives a sentence.",
    initial: true,
  },
  artists: {
    kind: "toggle",
    label: "Name artists",
    help: "Good for prompts. In training captions they teach the LoRA the wrong names.",
    initial: false,
  },
  trendings: { kind: "toggle", label: "“Trending on …” phrases", initial: false },
} as const satisfies Fields;
