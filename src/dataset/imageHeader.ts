/**
 * What the first bytes of a picture say, before anything is decoded: its kind and size. Files that claim more
 * pixels than a decoder should be trusted with are refused here (T-F4).
 */
import { WeftError } from "../base/errors";

export interface ImageHeader {
  format: "png" | "jpeg" | "webp" | "gif" | "bmp" | "avif" | "heic";
  /** Pixels as stored, before EXIF rotation. */
  width: number;
  height: number;
}

/** Bytes of a file that are looked at; JPEG's size may come after a large EXIF or colour profile block. */
export const headerBytes = 256 * 1024;

const maxPixels = 100e6;
const maxBytes = 64 * 1024 ** 2;

type Reader = (view: DataView) => Omit<ImageHeader, "format"> | undefined;

function ascii(view: DataView, offset: number, length: number): string {
  if (offset + length > view.byteLength) return "";
  return Array.from({ length }, (_, index) => String.fromCharCode(view.getUint8(offset + index))).join("");
}

/** PNG: the IHDR chunk comes first (PNG specification §5.6). */
const readPng: Reader = (view) =>
  view.byteLength < 24 ? undefined : { width: view.getUint32(16), height: view.getUint32(20) };

/** GIF87a/89a logical screen descriptor. */
const readGif: Reader = (view) =>
  view.byteLength < 10 ? undefined : { width: view.getUint16(6, true), height: view.getUint16(8, true) };

/** BITMAPINFOHEADER; a negative height means top-down rows. */
const readBmp: Reader = (view) =>
  view.byteLength < 26
    ? undefined
    : { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };

/** JPEG: the first start-of-frame marker (ITU T.81 B.2.2), C4, C8 and CC being other things. */
const readJpeg: Reader = (view) => {
  let at = 2;
  while (at + 9 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
};

/** WebP: lossy, lossless or extended container (RFC 9649). */
const readWebp: Reader = (view) => {
  if (view.byteLength < 30) return undefined;
  const kind = ascii(view, 12, 4);
  if (kind === "VP8 ")
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  const three = (offset: number): number =>
    view.getUint16(offset, true) + view.getUint8(offset + 2) * 65_536 + 1;
  return kind === "VP8X" ? { width: three(24), height: three(27) } : undefined;
};

/** Boxes of an ISO media file (ISO/IEC 14496-12 §4.2) between two offsets; stops at the first that does not fit. */
function* boxes(
  view: DataView,
  start: number,
  end: number,
): Generator<{ type: string; start: number; end: number }> {
  for (let at = start; at + 8 <= end;) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > end) return;
    yield { type: ascii(view, at + 4, 4), start: at + 8, end: at + size };
    at += size;
  }
}

/** AVIF: the largest `ispe` property; smaller ones belong to tiles and thumbnails (ISO/IEC 23008-12 §6.5.3). */
const readAvif: Reader = (view) => {
  const inside = (
    path: readonly string[],
    start: number,
    end: number,
  ): { width: number; height: number }[] => {
    const [type, ...rest] = path;
    return [...boxes(view, start, end)].flatMap((box) => {
      if (box.type !== type) return [];
      const content = box.start + (type === "meta" || type === "ispe" ? 4 : 0); // version and flags
      if (rest.length > 0) return inside(rest, content, box.end);
      return content + 8 <= box.end
        ? [{ width: view.getUint32(content), height: view.getUint32(content + 4) }]
        : [];
    });
  };
  const sizes = inside(["meta", "iprp", "ipco", "ispe"], 0, view.byteLength);
  return sizes.sort((a, b) => b.width * b.height - a.width * a.height)[0];
};

const formats: { format: ImageHeader["format"]; matches: (view: DataView) => boolean; read: Reader }[] = [
  {
    format: "png",
    matches: (view) => ascii(view, 1, 3) === "PNG" && view.getUint8(0) === 0x89,
    read: readPng,
  },
  { format: "jpeg", matches: (view) => ascii(view, 0, 3) === "\xff\xd8\xff", read: readJpeg },
  { format: "gif", matches: (view) => ascii(view, 0, 4) === "GIF8", read: readGif },
  {
    format: "webp",
    matches: (view) => ascii(view, 0, 4) === "RIFF" && ascii(view, 8, 4) === "WEBP",
    read: readWebp,
  },
  { format: "bmp", matches: (view) => ascii(view, 0, 2) === "BM", read: readBmp },
  {
    format: "avif",
    matches: (view) => /^ftyp.{0,48}avi[fs]/s.test(ascii(view, 4, Math.min(60, view.byteLength - 4))),
    read: readAvif,
  },
  {
    // The same boxes with other codes in them; after AVIF, which some files are as well.
    format: "heic",
    matches: (view) =>
      /^ftyp.{0,48}(hei[cmsx]|hev[cmsx])/s.test(ascii(view, 4, Math.min(60, view.byteLength - 4))),
    read: readAvif,
  },
];

/** What a file is that is no picture, as far as its first bytes tell. */
function guess(view: DataView): string {
  const start = ascii(view, 0, Math.min(256, view.byteLength)).trimStart().toLowerCase();
  if (start.startsWith("<!doctype html") || start.startsWith("<html"))
    return "a web page, not a picture: the download behind it failed";
  if (start.startsWith("<svg") || start.startsWith("<?xml"))
    return "a vector drawing (SVG), which cannot be trained on";
  if (start.startsWith("%pdf")) return "a PDF document, not a picture";
  if (start.startsWith("pk\u0003\u0004")) return "a zip under another name; rename it to .zip";
  if (start.startsWith("\u0000\u0000\u0000\fjxl ") || start.startsWith("\u00ff\n"))
    return "a JPEG XL picture, which browsers do not read yet; save it as PNG or JPEG";
  return "not a picture of a kind that browsers read";
}

/**
 * Reads the header of a picture.
 * @param head the first {@link headerBytes} of the file
 * @param size of the whole file in bytes
 * @throws WeftError `empty`, `too-large`, `not-a-picture`, `damaged`, `too-many-pixels`; the message reads after the name
 */
export function readImageHeader(head: Uint8Array<ArrayBuffer>, size: number): ImageHeader {
  if (size === 0) throw new WeftError("empty", "is empty (0 bytes).", "Copy or download it again.");
  if (size > maxBytes) throw new WeftError("too-large", "is larger than 64 MB.", "Save a smaller copy.");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const found = formats.find(({ matches }) => matches(view));
  if (!found) throw new WeftError("not-a-picture", `is ${guess(view)}.`);
  const dimensions = found.read(view);
  if (!dimensions)
    throw new WeftError("damaged", "is damaged: its header is cut off.", "Copy or download it again.");
  const { width, height } = dimensions;
  if (width === 0 || height === 0)
    throw new WeftError("damaged", `claims ${width} × ${height} pixels.`, "Copy or download it again.");
  if (width * height > maxPixels)
    throw new WeftError(
      "too-many-pixels",
      `claims ${width} × ${height} pixels; more than 100 megapixels are not opened.`,
      "Save a smaller copy.",
    );
  return { format: found.format, width, height };
}
