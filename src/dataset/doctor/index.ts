/** All the doctor's checks. Adding one is a file and a line here. */
import { identicalCaptions, longCaptions, missingCaptions } from "./captions";
import { extremeAspect } from "./extremeAspect";
import { nearDuplicates } from "./nearDuplicates";
import { blurry, jpegRuined } from "./spoiled";
import { tooFew } from "./tooFew";
import { tooSmall } from "./tooSmall";
import { styleInCaptions, triggerMissing } from "./trigger";
import type { Check, Examination, Finding, Severity } from "./types";
import { unbalancedRepeats } from "./unbalancedRepeats";

const checks: readonly Check[] = [
  tooSmall,
  extremeAspect,
  nearDuplicates,
  blurry,
  jpegRuined,
  tooFew,
  unbalancedRepeats,
  missingCaptions,
  identicalCaptions,
  longCaptions,
  triggerMissing,
  styleInCaptions,
];

const order: readonly Severity[] = ["problem", "warning", "hint"];

/** What is worth saying about a dataset, most serious first. */
export function diagnose(examination: Examination): Finding[] {
  return checks
    .flatMap((check) => check(examination) ?? [])
    .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}
