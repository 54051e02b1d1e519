/** Settings of Mini's captioner. */
import type { Fields } from "../settings";

export const miniFields = {
  confidence: {
    kind: "number",
    label: "Least similarity",
    help: "Phrases that fit less well are left out; the subject is always named.",
    initial: 0,
    min: 0,
    max: 0.9,
    step: 0.05,
  },
} as const satisfies Fields;
