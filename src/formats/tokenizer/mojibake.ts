/**
 * Repairs text that was UTF-8 but was read as Windows-1252 or Latin-1 on the way ("schÃ¶n" for "schön"), as the
 * usual trainer set-ups do before tokenizing (they use the Python library ftfy; see cleanText.ts).
 *
 * The rule: runs of characters whose Windows-1252 bytes are well-formed UTF-8 are decoded when at least one of
 * them in the line is something nobody writes on purpose. ftfy also knows other code pages and weighs more
 * evidence; on Windows-1252 and Latin-1 damage both agree (cleanText.test.ts).
 */
import { windows1252Byte } from "./windows1252";

/** Lead bytes 0xC2..0xF4, as the characters they become. */
const LEAD = "[\\u00c2-\\u00f4]";
/** Continuation bytes 0x80..0xBF, as the characters they become in Windows-1252 or Latin-1. */
const CONTINUATION = "[\\u0080-\\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]";

/** One or more UTF-8 sequences in disguise, ASCII never included. */
const DISGUISED_RUN = new RegExp(`(?:${LEAD}${CONTINUATION}{1,3})+`, "gu");

/**
 * Pairs that real text has: an accented capital at the end of a word before a dash, an ellipsis, a quote, a
 * trade mark, a no-break space and the like.
 */
const PLAUSIBLE_PAIR =
  /[\u00c4-\u00df](?:[\u00a0\u00ad\u00b7\u00b4\u2013\u2014\u2026\u2019]|[«»“”®™](?!\p{L}))/gu;

/** The text with every disguised run decoded; repeated, since text may have been damaged twice. */
export function repairMojibake(text: string): string {
  for (let round = 0; round < 4 && isDamaged(text); round++) {
    const repaired = text.replace(DISGUISED_RUN, (run) => decodeDisguised(run) ?? run);
    if (repaired === text) break;
    text = repaired;
  }
  return text;
}

/** Whether some run decodes and is not explained by plausible pairs alone. */
function isDamaged(text: string): boolean {
  for (const { 0: run, index } of text.matchAll(DISGUISED_RUN)) {
    const withNext = text.slice(index, index + run.length + 1);
    const next = withNext.slice(run.length);
    if (withNext.replace(PLAUSIBLE_PAIR, "") !== next && decodeDisguised(run) !== null) return true;
  }
  return false;
}

/** The UTF-8 text behind a run, or null when its bytes are no UTF-8. */
function decodeDisguised(run: string): string | null {
  const bytes = Uint8Array.from(run, (character) => windows1252Byte(character) ?? 0);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
