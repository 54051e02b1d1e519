/** Turns a drop into pictures, one after the other; what cannot be used is told and left out. */
import { WeftError } from "../../base/errors";
import { maxCaptionBytes, readCaptionText } from "../../dataset/captionFile";
import { headerBytes, readImageHeader, type ImageHeader } from "../../dataset/imageHeader";
import type { ImportedImage, ImportEvent, NamedFile } from "./api";
import { arrange, type ArrangedPicture } from "./arrange";
import { openPicture, thumbnailOf } from "./decode";
import { isZip, unzip } from "./unzip";

type Tell = (event: ImportEvent) => void;

/** Below this a picture is mostly enlarged, even for the smallest model. */
const smallSide = 64;

/** As people count: `p2` before `p10`. Folders and drops come in any order otherwise. */
const byName = new Intl.Collator("en", { numeric: true });

/** @param isCancelled asked before each file */
export async function importFiles(
  files: readonly NamedFile[],
  tell: Tell,
  isCancelled: () => boolean,
): Promise<void> {
  const { pictures, refused } = arrange(await unpack(files, tell));
  for (const { path, error } of refused) refuse(path, error, tell);
  pictures.sort((a, b) => byName.compare(a.path, b.path));
  for (const [index, picture] of pictures.entries()) {
    if (isCancelled()) return;
    tell({ kind: "progress", done: index, total: pictures.length });
    try {
      tell({ kind: "image", image: await importPicture(picture) });
    } catch (error) {
      refuse(picture.path, error, tell);
    }
  }
  tell({ kind: "progress", done: pictures.length, total: pictures.length });
}

function refuse(name: string, error: unknown, tell: Tell): void {
  const { code, message, hint } =
    error instanceof WeftError ? error : new WeftError("unreadable", "could not be read from the disk.");
  tell({ kind: "refused", file: { name, code, reason: hint ? `${message} ${hint}` : message } });
}

/** The files with every zip replaced by what is in it. */
async function unpack(files: readonly NamedFile[], tell: Tell): Promise<NamedFile[]> {
  const unpacked: NamedFile[] = [];
  for (const { path, file } of files) {
    const head = new Uint8Array(
      await file
        .slice(0, 4)
        .arrayBuffer()
        .catch(() => new ArrayBuffer(0)),
    );
    if (!isZip(path, head)) {
      unpacked.push({ path, file });
      continue;
    }
    try {
      for await (const entry of unzip(file, path)) {
        if (entry.kind === "file") unpacked.push(entry.file);
        else refuse(entry.path, entry.error, tell);
      }
    } catch (error) {
      refuse(path, error, tell);
    }
  }
  return unpacked;
}

interface Caption {
  caption: string;
  source: ImportedImage["captionSource"];
  notes: string[];
}

async function importPicture(picture: ArrangedPicture): Promise<ImportedImage> {
  const { path, file, repeats } = picture;
  const header = readImageHeader(new Uint8Array(await file.slice(0, headerBytes).arrayBuffer()), file.size);
  const bitmap = await openPicture(file);
  try {
    const { width, height } = bitmap;
    const { caption, source, notes: captionNotes } = await captionOf(picture);
    const notes = [...pictureNotes(header, bitmap), ...captionNotes];
    const thumbnail = await thumbnailOf(bitmap);
    const id = crypto.randomUUID();
    return {
      id,
      name: path,
      width,
      height,
      bytes: file.size,
      original: file,
      thumbnail,
      caption,
      captionSource: source,
      repeats,
      notes,
    };
  } finally {
    bitmap.close();
  }
}

async function captionOf({ captionFile, folderCaption }: ArrangedPicture): Promise<Caption> {
  if (captionFile) {
    const bytes = new Uint8Array(await captionFile.slice(0, maxCaptionBytes).arrayBuffer());
    const { caption, notes } = readCaptionText(bytes, captionFile.size);
    if (caption) return { caption, notes, source: "file" };
  }
  return { caption: folderCaption, notes: [], source: folderCaption ? "folder" : "none" };
}

/** What happens to this picture that its owner may not expect. */
function pictureNotes(header: ImageHeader, upright: { width: number; height: number }): string[] {
  const notes: string[] = [];
  if (header.width > 0 && header.width !== upright.width)
    notes.push("Turned upright as its camera noted; Kohya would train it sideways.");
  if (Math.min(upright.width, upright.height) < smallSide)
    notes.push("Very small: it will be enlarged and look soft.");
  if (header.format === "gif") notes.push("Of an animation only the first picture is used.");
  return notes;
}
