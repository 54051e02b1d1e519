/**
 * Which file of a drop is what, by its path and by what metadata and dataset configs in the drop say: pictures with their
 * caption files, repeats from Kohya's numbered folders, things that systems leave behind, and what is refused by name. Whether
 * a picture is one, its bytes tell later.
 */
import { WeftError } from "../base/errors";
import { captionExtensions, captionPaths, isCaptionPath } from "./captionFile";
import type { SubsetConfig } from "./datasetToml";
import { readFolderName } from "./folderName";
import type { MetadataEntry } from "./metadata";
import { folderOf, PathIndex } from "./pathIndex";

export interface ArrangedPath {
  path: string;
  /** The caption files that belong to it; the first one is read. */
  captionPaths: string[];
  /** From the config or the folder's name; 1 elsewhere. */
  repeats: number;
  /** The caption where no file has one; empty outside numbered folders. */
  classTokens: string;
  /** From a metadata file; used where no caption file has one. */
  metadataCaption: string;
}

export interface PathArrangement {
  pictures: ArrangedPath[];
  /** The error's message reads after the path. */
  refused: { path: string; error: WeftError }[];
}

/** What files in the drop say about the others. */
export interface DropFacts {
  metadata: { path: string; entries: MetadataEntry[] }[];
  configs: { path: string; subsets: SubsetConfig[] }[];
}

const maxRepeats = 10_000;

/** Left behind by systems and by trainers; nobody means them. */
const litter = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)|\.npz$|(^|\/)metadata_cache\.json$/i;

export function isLitter(path: string): boolean {
  return litter.test(path);
}

/** Read for what they say about other files, never as pictures. */
export function isFactsPath(path: string): boolean {
  return /\.(jsonl|json|toml)$/i.test(path);
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

/** Folder → what a config says of it. */
function subsetsByFolder(pictures: readonly string[], { configs }: DropFacts): Map<string, SubsetConfig> {
  const folders = new Set(pictures.map(folderOf));
  const index = new PathIndex(folders);
  const found = new Map<string, SubsetConfig>();
  for (const { path, subsets } of configs) {
    for (const subset of subsets) {
      const folder = index.find(subset.imageDir, folderOf(path));
      // The first subset of a folder wins, as in the trainer.
      if (folder !== undefined && !found.has(folder)) found.set(folder, subset);
    }
  }
  return found;
}

function captionsByPicture(pictures: readonly string[], { metadata }: DropFacts): Map<string, string> {
  if (metadata.length === 0) return new Map();
  const index = new PathIndex(pictures);
  const found = new Map<string, string>();
  for (const { path, entries } of metadata) {
    for (const { file, caption } of entries) {
      const picture = index.find(file, folderOf(path));
      if (picture !== undefined && caption && !found.has(picture)) found.set(picture, caption);
    }
  }
  return found;
}

/** The usual endings, the one that the config names first. */
function endingsFor(subset: SubsetConfig | undefined): string[] {
  const named = subset?.captionExtension;
  return [...new Set([...(named === undefined ? [] : [named]), ...captionExtensions])];
}

/** What the config says of a folder; else its own name; else once, without a caption. */
function folderFacts(
  folder: string,
  subset: SubsetConfig | undefined,
): { repeats: number; classTokens: string } {
  const named = readFolderName(folder.split("/").at(-1) ?? "");
  if (subset) return { repeats: subset.repeats, classTokens: subset.classTokens ?? named?.classTokens ?? "" };
  return named ?? { repeats: 1, classTokens: "" };
}

const noFacts: DropFacts = { metadata: [], configs: [] };

/** Sorts paths into pictures and refusals. Files with facts are expected to be read already and are left out. */
export function arrangePaths(paths: readonly string[], facts: DropFacts = noFacts): PathArrangement {
  const meant = paths.filter((path) => !isLitter(path) && !isFactsPath(path));
  const configured = facts.configs.flatMap(({ subsets }) =>
    subsets.flatMap((one) => one.captionExtension ?? []),
  );
  const isCaption = (path: string): boolean =>
    isCaptionPath(path) || configured.some((ending) => path.endsWith(`.${ending}`));
  const pictures = meant.filter((path) => !isCaption(path));
  const orphans = new Set(meant.filter(isCaption));
  const captions = new Map([...orphans].map((path) => [path.toLowerCase(), path]));
  const captionAt = (path: string): string | undefined =>
    orphans.has(path) ? path : captions.get(path.toLowerCase());
  const subsets = subsetsByFolder(pictures, facts);
  const metadata = captionsByPicture(pictures, facts);
  const arrangement: PathArrangement = { pictures: [], refused: [] };
  for (const path of pictures) {
    const subset = subsets.get(folderOf(path));
    const { repeats, classTokens } = folderFacts(folderOf(path), subset);
    const found = endingsFor(subset)
      .flatMap((ending) => captionPaths(path, ending))
      .map(captionAt)
      .filter((one) => one !== undefined);
    for (const one of found) orphans.delete(one);
    const error = refusal(repeats);
    if (error) arrangement.refused.push({ path, error });
    else
      arrangement.pictures.push({
        path,
        captionPaths: [...new Set(found)],
        repeats,
        classTokens: classTokens.trim(),
        metadataCaption: metadata.get(path) ?? "",
      });
  }
  const lonely = new WeftError("no-picture", "is a caption without a picture of the same name.");
  for (const path of orphans) arrangement.refused.push({ path, error: lonely });
  return arrangement;
}
