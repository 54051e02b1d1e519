/**
 * Which file of a drop is what, by its path alone: pictures with their caption files, repeats from Kohya's numbered
 * folders, things that systems leave behind, and what is refused by name. Whether a picture is one, its bytes tell later.
 */
import { WeftError } from "../base/errors";
import { captionPaths } from "./captionFile";
import { readFolderName } from "./folderName";

export interface ArrangedPath {
  path: string;
  /** The caption file that belongs to it, when there is one. */
  captionPath: string | undefined;
  /** From the folder's name; 1 elsewhere. */
  repeats: number;
  /** The caption where no file has one; empty outside numbered folders. */
  classTokens: string;
}

export interface PathArrangement {
  pictures: ArrangedPath[];
  /** The error's message reads after the path. */
  refused: { path: string; error: WeftError }[];
}

/** Best first. */
const captionExtensions = ["txt", "caption"];
const maxRepeats = 10_000;

/** Left behind by systems and by trainers; nobody means them. */
const litter = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)|\.npz$/i;

function isCaption(path: string): boolean {
  return captionExtensions.includes(/\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "");
}

function refusal(repeats: number): WeftError | undefined {
  if (repeats < 1)
    return new WeftError(
      "no-repeats",
      "lies in a folder whose name asks for no repeats.",
      "Start its name with 1_ or more.",
    );
  if (repeats <= maxRepeats) return undefined;
  return new WeftError(
    "too-many-repeats",
    `lies in a folder that asks for more than ${maxRepeats} repeats.`,
    "Rename the folder.",
  );
}

/** Sorts paths into pictures and refusals. */
export function arrangePaths(paths: readonly string[]): PathArrangement {
  const meant = paths.filter((path) => !litter.test(path));
  const captions = new Map(meant.filter(isCaption).map((path) => [path.toLowerCase(), path]));
  const orphans = new Set(captions.values());
  const arrangement: PathArrangement = { pictures: [], refused: [] };
  for (const path of meant.filter((one) => !isCaption(one))) {
    const { repeats, classTokens } = readFolderName(path.split("/").at(-2) ?? "") ?? {
      repeats: 1,
      classTokens: "",
    };
    const candidates = captionExtensions.flatMap((ending) => captionPaths(path, ending));
    const captionPath = candidates
      .map((one) => captions.get(one.toLowerCase()))
      .find((one) => one !== undefined);
    if (captionPath !== undefined) orphans.delete(captionPath);
    const error = refusal(repeats);
    if (error) arrangement.refused.push({ path, error });
    else arrangement.pictures.push({ path, captionPath, repeats, classTokens });
  }
  const lonely = new WeftError("no-picture", "is a caption without a picture of the same name.");
  for (const path of orphans) arrangement.refused.push({ path, error: lonely });
  return arrangement;
}
