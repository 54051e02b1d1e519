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

/** Notepad's "Unicode" is UTF-16 with a mark; everything else should be UTF-8, and old files are Windows-1252. */
function decode(bytes: Uint8Array, isCut: boolean): { text: string; notes: string[] } {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  try {
    const decoder = new TextDecoder(utf16 ? "utf-16le" : "utf-8", { fatal: true }); // drops the mark
    const text = decoder.decode(bytes, { stream: isCut }); // a character cut in two is then no fault
    return { text, notes: [] };
  } catch {
    const text = new TextDecoder("windows-1252").decode(bytes);
    return { text, notes: ["Its caption file is not UTF-8; accented letters may be wrong."] };
  }
}

/** Control characters would only break what shows or exports the caption. */
function clean(line: string): string {
  return line.replace(/\p{Cc}/gu, " ").trim();
}

/**
 * The caption in a text file: its first line that is not blank. Kohya takes the first line even when it is blank, keeps a
 * byte order mark and stops at an empty or non-UTF-8 file; a note says so where it would matter.
 * @param bytes the file's first {@link maxCaptionBytes}; @param size of the whole file.
 */
export function readCaptionText(bytes: Uint8Array, size: number): CaptionText {
  const { text, notes } = decode(bytes, size > bytes.length);
  const lines = text.split(/\r\n|\r|\n/).map(clean);
  const filled = lines.filter((line) => line !== "");
  if (filled.length > 1 || size > bytes.length)
    notes.push("Only the first line of its caption file is used.");
  if (filled.length > 0 && lines[0] === "")
    notes.push("Its caption file starts with a blank line, which was skipped.");
  return { caption: filled[0] ?? "", notes };
}
