/**
 * Which file of a drop is what: pictures with their caption files, repeats from Kohya's `10_name` folders, things
 * that operating systems leave behind, and the rest, which is refused by name.
 */
import { WeftError } from "../../base/errors";
import type { NamedFile } from "./api";

export interface ArrangedPicture extends NamedFile {
  /** The caption file of the same name, when there is one. */
  captionFile: Blob | undefined;
  /** From the folder's name; 1 elsewhere. */
  repeats: number;
  /** What the folder's name says after the number: Kohya's class tokens, the caption where no file has one. */
  folderCaption: string;
}

export interface Arrangement {
  pictures: ArrangedPicture[];
  refused: { path: string; error: WeftError }[];
}

const captionExtensions = ["txt", "caption"];
const maxCaptionBytes = 8 * 1024;
const maxRepeats = 10_000;

/** Left behind by systems and by trainers; nobody means them. */
const litter = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)|\.npz$/i;

function extension(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
}

function stem(path: string): string {
  return path.replace(/\.[^./]+$/, "");
}

/** `10_ink style` → 10 repeats of "ink style". Other folder names mean nothing. */
export function readFolderName(path: string): { repeats: number; caption: string } {
  const folder = path.split("/").at(-2) ?? "";
  const match = /^(\d+)_(.+)$/.exec(folder);
  const repeats = Number(match?.[1] ?? 1);
  if (!match || repeats < 1 || repeats > maxRepeats) return { repeats: 1, caption: "" };
  return { repeats, caption: (match[2] ?? "").trim() };
}

/** Sorts a drop's files into pictures and refusals. Nothing is read yet. */
export function arrange(files: readonly NamedFile[]): Arrangement {
  const meant = files.filter(({ path }) => !litter.test(path));
  const captions = new Map(meant.filter(({ path }) => captionExtensions.includes(extension(path))).map((file) => [file.path, file.file]));
  const others = meant.filter(({ path }) => !captions.has(path));
  const stems = new Set(others.map(({ path }) => stem(path)));
  const lonely = [...captions.keys()].filter((path) => !stems.has(stem(path)));
  return {
    pictures: others.map((file) => {
      const { repeats, caption } = readFolderName(file.path);
      const found = captionExtensions.map((end) => captions.get(`${stem(file.path)}.${end}`)).find((blob) => blob !== undefined);
      return { ...file, captionFile: found, repeats, folderCaption: caption };
    }),
    refused: lonely.map((path) => ({ path, error: new WeftError("no-picture", "is a caption without a picture of the same name.") })),
  };
}

/**
 * The caption in a text file: its first line, as Kohya reads it, without byte order mark and control characters.
 * `cut` tells that there was more.
 */
export async function readCaption(file: Blob): Promise<{ caption: string; cut: boolean }> {
  const text = (await file.slice(0, maxCaptionBytes).text()).replace(/^\uFEFF/, "");
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim());
  // Control characters (all but line ends, which are gone) would only break what shows or exports the caption.
  const caption = (lines[0] ?? "").replace(/\p{Cc}/gu, " ").trim();
  return { caption, cut: lines.length > 1 || file.size > maxCaptionBytes };
}
