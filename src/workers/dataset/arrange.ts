/** The files of a drop by what they are; the rules are `dataset/arrangePaths`, here they meet the bytes. */
import type { WeftError } from "../../base/errors";
import { arrangePaths } from "../../dataset/arrangePaths";
import type { NamedFile } from "./api";

export interface ArrangedPicture extends NamedFile {
  /** The caption file that belongs to it, when there is one. */
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

/** Sorts a drop's files into pictures and refusals. Nothing is read yet. */
export function arrange(files: readonly NamedFile[]): Arrangement {
  const blobs = new Map(files.map(({ path, file }) => [path, file]));
  const { pictures, refused } = arrangePaths([...blobs.keys()]);
  return {
    refused,
    pictures: pictures.flatMap(({ path, captionPath, repeats, classTokens }) => {
      const file = blobs.get(path);
      const captionFile = captionPath === undefined ? undefined : blobs.get(captionPath);
      return file ? [{ path, file, captionFile, repeats, folderCaption: classTokens.trim() }] : [];
    }),
  };
}
