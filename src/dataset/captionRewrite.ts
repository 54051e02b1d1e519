/** A caption file with another caption in it: encoding, byte order mark, line ends and all other lines stay. */

type Encoding = "utf-8" | "utf-16le" | "windows-1252";

interface DecodedText {
  text: string;
  encoding: Encoding;
  mark: Uint8Array<ArrayBuffer>;
}

function decodeWhole(bytes: Uint8Array): DecodedText {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  const utf8Mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const mark = bytes.slice(0, utf16 ? 2 : utf8Mark ? 3 : 0);
  const body = bytes.subarray(mark.length);
  try {
    const encoding = utf16 ? "utf-16le" : "utf-8";
    return { text: new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(body), encoding, mark };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(body), encoding: "windows-1252", mark };
  }
}

/** What each byte of Windows-1252 means, as the decoder itself says. */
const windows1252 = new Map(
  [...new TextDecoder("windows-1252").decode(Uint8Array.from({ length: 256 }, (_, byte) => byte))].map(
    (character, byte) => [character, byte],
  ),
);

/** @returns undefined when the encoding lacks a character. */
function encode(text: string, encoding: Encoding): Uint8Array<ArrayBuffer> | undefined {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  if (encoding === "utf-16le")
    return Uint8Array.from(
      { length: 2 * text.length },
      (_, i) => (text.charCodeAt(i >> 1) >> (8 * (i & 1))) & 255,
    );
  const bytes = [...text].map((character) => windows1252.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
}

/**
 * Puts `caption` in place of the first line that is not blank, which is the one that is read; one of several lines takes the
 * place of all. A file in Windows-1252 becomes UTF-8 when the new caption has letters that it lacks.
 */
export function rewriteCaption(bytes: Uint8Array, caption: string): Uint8Array<ArrayBuffer> {
  const { text, encoding, mark } = decodeWhole(bytes);
  const edited = caption.includes("\n") ? withLines(text, caption) : withFirstLine(text, caption);
  const body = encode(edited, encoding) ?? new TextEncoder().encode(edited);
  const whole = new Uint8Array(mark.length + body.length);
  whole.set(mark);
  whole.set(body, mark.length);
  return whole;
}

function withFirstLine(text: string, caption: string): string {
  const pieces = text.split(/(\r\n|\r|\n)/);
  const at = pieces.findIndex((piece, index) => index % 2 === 0 && piece.trim() !== "");
  pieces[Math.max(0, at)] = caption;
  return pieces.join("");
}

/** Line ends as the file has them, one at its end when it had one. */
function withLines(text: string, caption: string): string {
  const lineEnd = /\r\n|\r|\n/.exec(text)?.[0] ?? "\n";
  return caption.split("\n").join(lineEnd) + (/[\r\n]$/.test(text) ? lineEnd : "");
}
