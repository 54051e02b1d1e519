/** One file of an import → a picture with its caption, or the reason why not. */
import { maxCaptionBytes, readCaptionText } from "../../dataset/captionFile";
import { headerBytes, readImageHeader, type ImageHeader } from "../../dataset/imageHeader";
import { jpegQuality } from "../../dataset/jpegQuality";
import type { CaptionBytes, ImportedImage, PictureTask } from "./api";
import { openPicture } from "./decode";
import { examine } from "./examine";

/** Below this a picture is mostly enlarged, even for the smallest model. */
const smallSide = 64;
/** Caption files longer than this are not kept; a book is no caption. */
const maxKeptBytes = 4 * 1024 ** 2;

/** @throws WeftError when it cannot be used; the message reads after the file's name. */
export async function readPicture(task: PictureTask): Promise<ImportedImage> {
  const { path, file, repeats } = task;
  const head = new Uint8Array(await file.slice(0, headerBytes).arrayBuffer());
  const header = readImageHeader(head, file.size);
  const bitmap = await openPicture(file);
  try {
    const { width, height } = bitmap;
    const { notes: captionNotes, ...caption } = await captionOf(task);
    const { format } = header;
    const notes = [...pictureNotes(header, bitmap), ...captionNotes];
    const { look, ...examined } = await examine(bitmap);
    const id = crypto.randomUUID();
    return {
      id,
      name: path,
      width,
      height,
      bytes: file.size,
      format,
      original: file,
      repeats,
      notes,
      ...caption,
      ...examined,
      look: { ...look, quality: jpegQuality(head) },
    };
  } finally {
    bitmap.close();
  }
}

type Caption = Pick<ImportedImage, "caption" | "captionSource" | "captionFile" | "otherCaptions" | "notes">;

async function bytesOf({ path, file }: { path: string; file: Blob }): Promise<CaptionBytes> {
  const extension = path.slice(path.lastIndexOf(".") + 1);
  return { extension, bytes: new Uint8Array(await file.slice(0, maxKeptBytes).arrayBuffer()) };
}

async function captionOf({ captions, classTokens, metadataCaption }: PictureTask): Promise<Caption> {
  const [first, ...others] = await Promise.all(captions.map(bytesOf));
  const notes: string[] = [];
  const kept: Partial<Caption> = {};
  let text = "";
  if (first) {
    const size = captions[0]?.file.size ?? 0;
    const read = readCaptionText(first.bytes.subarray(0, maxCaptionBytes), size);
    notes.push(...read.notes);
    if (size > maxKeptBytes) notes.push("Its caption file is longer than 4 MB; the rest of it is not kept.");
    text = read.caption;
    kept.captionFile = { ...first, caption: text };
  }
  if (others.length > 0) {
    kept.otherCaptions = others;
    notes.push(
      `Only its .${first?.extension ?? ""} caption file is used, not .${others.map(({ extension }) => extension).join(", .")}.`,
    );
  }
  const caption = text || metadataCaption || classTokens;
  const captionSource = text || metadataCaption ? "file" : classTokens ? "folder" : "none";
  return { ...kept, caption, captionSource, notes };
}

/** What happens to this picture that its owner may not expect. */
function pictureNotes(header: ImageHeader, upright: { width: number; height: number }): string[] {
  const notes: string[] = [];
  if (header.width !== upright.width)
    notes.push("Turned upright as its camera noted; Kohya would train it sideways.");
  if (Math.min(upright.width, upright.height) < smallSide)
    notes.push("Very small: it will be enlarged and look soft.");
  if (header.format === "gif") notes.push("Of an animation only the first picture is used.");
  return notes;
}
