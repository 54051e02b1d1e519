/** Settings of Mini's captioner. */
import type { Fields } from "../settings";

export const miniFields = {
  confidence: {
    kind: "number",
    label: "Least certainty",
    help: "A style or background less sure than this is left out; the subject is always named.",
    initial: 0,
    min: 0,
    max: 0.9,
    step: 0.05,
  },
} as const satisfies Fields;
