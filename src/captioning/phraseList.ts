/** Phrase lists as text: one phrase a line. */
import { WeftError } from "../base/errors";

/** CLIP Interrogator's longest list has 100 970 lines of 17 characters; more than this is some other file. */
const mostPhrases = 200_000;
const longestPhrase = 300;
export const mostListBytes = 16 * 1024 * 1024;

/**
 * The phrases of a text file: lines trimmed, blank ones and repeats dropped, control characters replaced. A phrase
 * longer than a text encoder could hold is cut.
 * @throws WeftError `phrase-list-too-long` beyond 200 000 phrases.
 */
export function parsePhraseList(text: string): string[] {
  const phrases = new Set<string>();
  for (const line of text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/)) {
    const phrase = line
      .replace(/\p{Cc}+/gu, " ")
      .trim()
      .slice(0, longestPhrase)
      .trim();
    if (phrase !== "") phrases.add(phrase);
    if (phrases.size > mostPhrases)
      throw new WeftError(
        "phrase-list-too-long",
        `The list has more than ${mostPhrases.toLocaleString("en")} phrases.`,
        "Choose a text file with one phrase a line.",
      );
  }
  return [...phrases];
}

/** The text that {@link parsePhraseList} reads back as the same phrases. */
export function phraseListText(phrases: readonly string[]): string {
  return phrases.map((phrase) => `${phrase}\n`).join("");
}
