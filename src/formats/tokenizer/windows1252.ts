/**
 * Windows-1252 in both directions, the lenient kind that browsers use: the five unassigned bytes stand for the
 * C1 control characters of the same number. (Written out, because Node 20's TextDecoder takes it for Latin-1.)
 */

/** Bytes 0x80..0x9F; all others are Latin-1. */
const C1 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";
const FIRST = 0x80;

/** The byte of a character, or undefined. The C1 controls count as themselves (Latin-1). */
export function windows1252Byte(character: string): number | undefined {
  const at = C1.indexOf(character);
  if (at >= 0) return FIRST + at;
  const code = character.charCodeAt(0);
  return code <= 0xff ? code : undefined;
}

/** The character of a byte. */
export function windows1252Character(byte: number): string {
  return C1[byte - FIRST] ?? String.fromCharCode(byte);
}
