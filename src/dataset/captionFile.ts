/** Caption files: where they are looked for, and what counts as the caption in them. */

/** A caption is a line of words; more is some other text file. */
export const maxCaptionBytes = 8 * 1024;

/** Endings that trainers and taggers give caption files, best first: where a picture has several, the first is used. */
export const captionExtensions = ["txt", "caption", "tags", "cap", "wd14", "prompt"] as const;

/** Whether a path is a caption file by its ending. */
export function isCaptionPath(path: string): boolean {
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  return captionExtensions.some((extension) => extension === ending);
}

export interface CaptionText {
  caption: string;
  /** What the person should know about how the file was read. */
  notes: string[];
}

/**
 * Paths a picture's caption may have, best first: its own name with the extension, and for cropped faces named
 * `name_cx_cy_w_h` the name without the four numbers.
 * @param extension with or without its dot.
 */
export function captionPaths(imagePath: string, extension: string): string[] {
  const ending = extension.startsWith(".") ? extension : `.${extension}`;
  const base = imagePath.replace(/\.[^./]*$/, "");
  const pieces = base.split("_");
  const faceBase = pieces.length >= 5 ? [pieces.slice(0, -4).join("_")] : [];
  return [base, ...faceBase].map((name) => name + ending);
}

export type CaptionEncoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

export interface DecodedCaption {
  /** Without the byte order mark. */
  text: string;
  encoding: CaptionEncoding;
  /** Bytes at the front that say the encoding. */
  markLength: number;
}

const marks: [encoding: CaptionEncoding, bytes: number[]][] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/**
 * Notepad's "Unicode" is UTF-16 with a mark; everything else should be UTF-8, and old files are Windows-1252.
 * @param isCut more bytes follow: a character cut in two is then no fault, and left out
 */
export function decodeCaption(bytes: Uint8Array, isCut = false): DecodedCaption {
  const found = marks.find(([, mark]) => mark.every((byte, i) => bytes[i] === byte));
  const [encoding, markLength] = [found?.[0] ?? "utf-8", found?.[1].length ?? 0];
  try {
    const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    return {
      text: decoder.decode(bytes.subarray(markLength), { stream: isCut }),
      encoding,
      markLength,
    };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(bytes), encoding: "windows-1252", markLength: 0 };
  }
}

/** A line as the caption has it: control characters would only break what shows or exports the caption. */
export function cleanLine(line: string): string {
  return line.replace(/\p{Cc}/gu, " ").trim();
}

/** Line ends as Python's text files have them. */
export const lineEnd = /\r\n|\r|\n/;

/**
 * The caption in a text file: its lines that are not blank. A run without wildcards takes the first of them. Kohya takes the
 * first line even when it is blank, keeps a byte order mark and stops at an empty or non-UTF-8 file; a note says so where it
 * would matter.
 * @param bytes the file's first {@link maxCaptionBytes}; @param size of the whole file.
 */
export function readCaptionText(bytes: Uint8Array, size: number): CaptionText {
  const isCut = size > bytes.length;
  const { text, encoding } = decodeCaption(bytes, isCut);
  const lines = text.split(lineEnd).map(cleanLine);
  const filled = lines.filter((line) => line !== "");
  // What was cut in two is no line, unless it is all there is.
  if (isCut && filled.length > 1 && lines.at(-1) !== "") filled.pop();
  const notes: string[] = [];
  if (encoding === "windows-1252")
    notes.push("Its caption file is not UTF-8; accented letters may be wrong.");
  if (isCut) notes.push("Its caption file is longer than a caption can be; the end is not used.");
  else if (filled.length > 1)
    notes.push("Its caption has several lines: only the first is trained, unless wildcards are on.");
  if (filled.length > 0 && lines[0] === "")
    notes.push("Its caption file starts with a blank line, which was skipped.");
  return { caption: filled.join("\n"), notes };
}
