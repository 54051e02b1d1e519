/**
 * A dataset as sd-scripts trains it: numbered folders with pictures and caption files, and a dataset config. Files that were
 * imported go out byte for byte; a caption that was edited changes only its own line.
 */
import { assignBucket, bucketsFor } from "./buckets";
import { rewriteCaption } from "./captionRewrite";
import { cropShares, type CropPoint } from "./crop";
import { writeDatasetToml, type WrittenSubset } from "./datasetToml";
import { readFolderName } from "./folderName";
import { folderOf } from "./pathIndex";
import { withTrigger } from "./trigger";

/** What the export needs to know of a picture. */
export interface ExportedPicture {
  id: string;
  name: string;
  width: number;
  height: number;
  caption: string;
  repeats: number;
  crop?: CropPoint | undefined;
  captionFile?: { extension: string; bytes: Uint8Array; caption: string } | undefined;
  otherCaptions?: { extension: string; bytes: Uint8Array }[] | undefined;
}

export interface ExportOptions {
  /** Names the folder of pictures that come from no numbered folder. */
  title: string;
  trigger: string;
  /** Written into captions that lack it; other trainers do not add it by themselves. */
  writeTrigger: boolean;
  /** Cut pictures whose crop was moved; other trainers always cut out the middle. */
  applyCrops: boolean;
  /** Transparent parts are left out of the loss. */
  alphaMask: boolean;
  resolution: number;
}

/** A part of a picture, in shares of its width and height. */
export interface Cut {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A file of the export: a picture's original by its id, whole or a part of it as PNG; or bytes. */
export type ExportEntry = { path: string } & (
  { id: string; cut?: Cut | undefined } | { bytes: Uint8Array<ArrayBuffer> }
);

export interface ExportPlan {
  entries: ExportEntry[];
  /** What differs from the dataset on the screen, in words. */
  notes: string[];
}

/** Where the folders are inside the export: what `--train_data_dir` points at. */
const place = "img";
const usualExtension = "txt";

/** Characters that one of the usual systems refuses in names, and names that Windows keeps for itself (T-F7). */
export function portableName(name: string): string {
  const safe = name.replace(/[<>:"|?*\\/\p{Cc}]/gu, "_").replace(/[. ]+$/, "");
  const device = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(safe);
  const named = device ? `_${safe}` : safe;
  return cutTo(named || "_", 255);
}

/** Names are limited in bytes; the ending is kept. */
function cutTo(name: string, limit: number): string {
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  if (bytes(name) <= limit) return name;
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 && name.length - dot <= 10 ? name.slice(dot) : "";
  const letters = [...name.slice(0, name.length - ending.length)];
  while (letters.length > 1 && bytes(letters.join("") + ending) > limit) letters.pop();
  return letters.join("") + ending;
}

/** Pictures that go into one folder. */
interface Folder {
  name: string;
  repeats: number;
  classTokens: string;
  pictures: ExportedPicture[];
}

/** A picture's numbered folder as it came, unless its repeats were changed. */
function folderNameOf(
  { name, repeats }: ExportedPicture,
  title: string,
): { name: string; classTokens: string } {
  const own = folderOf(name).split("/").at(-1) ?? "";
  const numbered = readFolderName(own);
  if (numbered?.repeats === repeats) return { name: own, classTokens: numbered.classTokens };
  const classTokens = numbered?.classTokens ?? title;
  return { name: classTokens ? `${repeats}_${classTokens}` : String(repeats), classTokens };
}

function foldersOf(pictures: readonly ExportedPicture[], title: string): Folder[] {
  const folders = new Map<string, Folder>();
  for (const picture of pictures) {
    const { name, classTokens } = folderNameOf(picture, title);
    const folder = folders.get(name) ?? { name, repeats: picture.repeats, classTokens, pictures: [] };
    folder.pictures.push(picture);
    folders.set(name, folder);
  }
  return [...folders.values()];
}

/** The ending that most of a folder's captions have: the trainer reads one per folder. */
function extensionOf({ pictures }: Folder): string {
  const counts = new Map<string, number>();
  for (const { captionFile } of pictures)
    if (captionFile) counts.set(captionFile.extension, (counts.get(captionFile.extension) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? usualExtension;
}

/** The caption file of a picture; undefined when the folder's name says it already. */
function captionBytes(
  picture: ExportedPicture,
  folder: Folder,
  { trigger, writeTrigger }: ExportOptions,
): Uint8Array<ArrayBuffer> | undefined {
  const { captionFile } = picture;
  const caption = writeTrigger ? withTrigger(trigger, picture.caption) : picture.caption;
  const isFolders = caption.trim() === folder.classTokens.trim();
  if (captionFile && (caption === captionFile.caption || (captionFile.caption === "" && isFolders)))
    return new Uint8Array(captionFile.bytes);
  if (captionFile) return rewriteCaption(captionFile.bytes, captionFile.caption, caption);
  if (isFolders) return undefined;
  // An empty file stops the trainer; an empty line is an empty caption.
  return new TextEncoder().encode(caption === "" ? "\n" : caption);
}

/** Names within a folder, each once: caption files go by the name without its ending, and systems differ in case. */
class FolderNames {
  readonly #taken = new Map<string, Uint8Array | undefined>();

  /** @param caption pictures of one name may share a caption file with the same content. */
  add(name: string, caption: Uint8Array | undefined): string {
    const dot = name.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
    let candidate = stem;
    for (let number = 2; !this.#isFree(candidate, ending, caption); number++) candidate = `${stem}-${number}`;
    this.#taken.set(`${candidate}${ending}`.toLowerCase(), undefined);
    this.#taken.set(`${candidate}/`.toLowerCase(), caption);
    return candidate;
  }

  #isFree(stem: string, ending: string, caption: Uint8Array | undefined): boolean {
    if (this.#taken.has(`${stem}${ending}`.toLowerCase())) return false;
    const key = `${stem}/`.toLowerCase();
    return !this.#taken.has(key) || isSame(this.#taken.get(key), caption);
  }
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (!one || !other) return one === other;
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What of the picture is trained, when that is not its middle and should be cut out already. */
function cutOf({ width, height, crop }: ExportedPicture, options: ExportOptions): Cut | undefined {
  if (!crop || !options.applyCrops) return undefined;
  const { bucket, resized } = assignBucket([width, height], bucketsFor(options.resolution));
  return cropShares(resized, bucket, crop);
}

/** Everything the zip holds. Entries are in the order of the pictures. */
export function planExport(pictures: readonly ExportedPicture[], options: ExportOptions): ExportPlan {
  const entries = new Map<string, ExportEntry>();
  const notes: string[] = [];
  const subsets: WrittenSubset[] = [];
  let renamed = 0;
  for (const folder of foldersOf(pictures, options.title)) {
    const extension = extensionOf(folder);
    const names = new FolderNames();
    const imageDir = `${place}/${portableName(folder.name)}`;
    const put = (entry: ExportEntry): void => void entries.set(entry.path, entry);
    for (const picture of folder.pictures) {
      const caption = captionBytes(picture, folder, options);
      const cut = cutOf(picture, options);
      const own = cut ? fileNameOf(picture.name).replace(/\.[^.]*$/, ".png") : fileNameOf(picture.name);
      const safe = portableName(own);
      const stem = names.add(safe, caption);
      const ending = safe.slice(safe.lastIndexOf(".") > 0 ? safe.lastIndexOf(".") : safe.length);
      if (`${stem}${ending}` !== own) renamed++;
      put({ path: `${imageDir}/${stem}${ending}`, id: picture.id, cut });
      const { captionFile, otherCaptions = [] } = picture;
      const kept = captionFile && captionFile.extension !== extension ? [captionFile] : [];
      for (const other of [...kept, ...otherCaptions])
        put({ path: `${imageDir}/${stem}.${other.extension}`, bytes: new Uint8Array(other.bytes) });
      if (caption) put({ path: `${imageDir}/${stem}.${extension}`, bytes: caption });
    }
    const { repeats, classTokens } = folder;
    subsets.push({ imageDir, repeats, classTokens, captionExtension: `.${extension}` });
  }
  if (renamed > 0)
    notes.push(`${renamed} files get another name: theirs is taken, or some system refuses it.`);
  const { minSize, maxSize, step } = bucketsFor(options.resolution);
  const buckets = { resolution: options.resolution, minSize, maxSize, step };
  const toml = writeDatasetToml(subsets, buckets, options.alphaMask);
  entries.set("dataset.toml", { path: "dataset.toml", bytes: new TextEncoder().encode(toml) });
  return { entries: [...entries.values()], notes };
}
