/** A caption file with another caption in it: encoding, byte order mark, line ends and all other lines stay. */
import { cleanLine, decodeCaption, lineEnd, readCaptionText, type CaptionEncoding } from "./captionFile";

/** What each byte of Windows-1252 means, as the decoder itself says. */
const windows1252 = new Map(
  [...new TextDecoder("windows-1252").decode(Uint8Array.from({ length: 256 }, (_, byte) => byte))].map(
    (character, byte) => [character, byte],
  ),
);

/** @returns undefined when the encoding lacks a character. */
function encode(text: string, encoding: CaptionEncoding): Uint8Array<ArrayBuffer> | undefined {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  if (encoding === "windows-1252") {
    const bytes = [...text].map((character) => windows1252.get(character));
    return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
  }
  const bytes = new DataView(new ArrayBuffer(2 * text.length));
  for (let i = 0; i < text.length; i++) bytes.setUint16(2 * i, text.charCodeAt(i), encoding === "utf-16le");
  return new Uint8Array(bytes.buffer);
}

/**
 * Puts `caption` in place of the lines that were read as `before`. As many lines as before: each takes the place of its own,
 * and those that say the same stay byte for byte; otherwise the new lines take the place of the old ones together. Whatever
 * is behind them stays. Text that its encoding lacks, or that would read as something else in it, makes the file UTF-8.
 * @param before the caption as {@link readCaptionText} gave it, or only its first line
 */
export function rewriteCaption(bytes: Uint8Array, before: string, caption: string): Uint8Array<ArrayBuffer> {
  const { text, encoding, markLength } = decodeCaption(bytes);
  const edited = withLines(text, before.split("\n").length, caption.split("\n"));
  const body = encode(edited, encoding);
  if (body) {
    const whole = new Uint8Array(markLength + body.length);
    whole.set(bytes.subarray(0, markLength));
    whole.set(body, markLength);
    const expected = edited.split(lineEnd).map(cleanLine).filter(Boolean).join("\n");
    if (readCaptionText(whole, whole.length).caption === expected) return whole;
  }
  return new TextEncoder().encode(edited);
}

/** @param read how many of the lines that are not blank are replaced */
function withLines(text: string, read: number, lines: readonly string[]): string {
  // Lines at even places, their ends between them.
  const pieces = text.split(/(\r\n|\r|\n)/);
  const filled = pieces
    .flatMap((piece, i) => (i % 2 === 0 && cleanLine(piece) !== "" ? [i] : []))
    .slice(0, read);
  if (filled.length === lines.length) {
    filled.forEach((at, i) => {
      if (cleanLine(pieces[at] ?? "") !== lines[i]) pieces[at] = lines[i] ?? "";
    });
    return pieces.join("");
  }
  const [first = 0, last = first] = [filled[0], filled.at(-1)];
  const end = lineEnd.exec(text)?.[0] ?? "\n";
  return [...pieces.slice(0, first), lines.join(end), ...pieces.slice(last + 1)].join("");
}
