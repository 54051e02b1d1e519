/**
 * Which file of a drop is what: pictures with their caption files, repeats from Kohya's `10_name` folders, things
 * that operating systems leave behind, and the rest, which is refused by name.
 */
import { WeftError } from "../../base/errors";
import { captionPaths } from "../../dataset/captionFile";
import { readFolderName } from "../../dataset/folderName";
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
const maxRepeats = 10_000;

/** Left behind by systems and by trainers; nobody means them. */
const litter = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)|\.npz$/i;

function extension(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
}

/** Repeats and class tokens of the folder a picture lies in; Kohya's numbers that make no sense count as 1. */
function readFolder(path: string): { repeats: number; folderCaption: string } {
  const folder = readFolderName(path.split("/").at(-2) ?? "");
  if (!folder || folder.repeats < 1 || folder.repeats > maxRepeats) return { repeats: 1, folderCaption: "" };
  return { repeats: folder.repeats, folderCaption: folder.classTokens.trim() };
}

/** Sorts a drop's files into pictures and refusals. Nothing is read yet. */
export function arrange(files: readonly NamedFile[]): Arrangement {
  const meant = files.filter(({ path }) => !litter.test(path));
  const captions = new Map(meant.filter(({ path }) => captionExtensions.includes(extension(path))).map((file) => [file.path, file.file]));
  const used = new Set<string>();
  const pictures = meant.flatMap((file) => {
    if (captions.has(file.path)) return [];
    const paths = captionExtensions.flatMap((end) => captionPaths(file.path, end));
    for (const path of paths) used.add(path);
    const captionFile = paths.map((path) => captions.get(path)).find((blob) => blob !== undefined);
    return [{ ...file, captionFile, ...readFolder(file.path) }];
  });
  const lonely = [...captions.keys()].filter((path) => !used.has(path));
  const refused = lonely.map((path) => ({ path, error: new WeftError("no-picture", "is a caption without a picture of the same name.") }));
  return { pictures, refused };
}
