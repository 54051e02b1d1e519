/**
 * Repairs text that was UTF-8 but was read as Windows-1252 or Latin-1 on the way ("schÃ¶n" for "schön"), as the
 * usual trainer set-ups do before tokenizing (they use the Python library ftfy; see cleanText.ts).
 *
 * The rule here is narrower than ftfy's: a run of characters is repaired only when its Windows-1252 bytes are
 * well-formed UTF-8 sequences, and at least one sequence is something nobody writes on purpose.
 */
import { windows1252Byte } from "./windows1252";

/** Lead bytes 0xC2..0xF4, as the characters they become. */
const LEAD = "[\\u00c2-\\u00f4]";
/** Continuation bytes 0x80..0xBF, as the characters they become in Windows-1252 or Latin-1. */
const CONTINUATION = "[\\u0080-\\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]";

/** One or more UTF-8 sequences in disguise, ASCII never included. */
const DISGUISED_RUN = new RegExp(`(?:${LEAD}${CONTINUATION}{1,3})+`, "gu");

/**
 * Pairs that real text has: an accented capital at the end of a word before a dash, an ellipsis, a closing
 * quote, a no-break space and the like. A run made of such pairs alone is left as it is.
 */
const PLAUSIBLE_PAIR =
  /[\u00c4-\u00df][\u00a0\u00ad\u00b7\u00b4\u2013\u2014\u2026\u2019\u00bb\u201d\u201c]/gu;

/** The text with every disguised run decoded; repeated, since text may have been damaged twice. */
export function repairMojibake(text: string): string {
  for (let round = 0; round < 4; round++) {
    const repaired = text.replace(DISGUISED_RUN, repairRun);
    if (repaired === text) break;
    text = repaired;
  }
  return text;
}

function repairRun(run: string): string {
  if (run.replace(PLAUSIBLE_PAIR, "") === "") return run;
  const bytes = Uint8Array.from(run, (character) => windows1252Byte(character) ?? 0);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return run;
  }
}
