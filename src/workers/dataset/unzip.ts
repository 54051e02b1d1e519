/**
 * Zip files of pictures, read as hostile input: entry names are labels and never paths, and every size is bounded
 * both as declared and as inflated (T-F3).
 */
import { BlobReader, configure, ZipReader, type FileEntry } from "@zip.js/zip.js";
import { WeftError } from "../../base/errors";
import { isLitter } from "../../dataset/arrangePaths";
import { pathLabel } from "../../dataset/uniquePaths";

const limits = {
  entries: 20_000,
  /** Inflated bytes of one archive. */
  totalBytes: 2 * 1024 ** 3,
  /** Inflated bytes of one entry. */
  entryBytes: 64 * 1024 ** 2,
  /** Inflated ÷ stored bytes of one entry; pictures hardly compress, text by less than this. */
  ratio: 200,
};

// This already is a worker; zip.js's own would need blob: script addresses, which the policy forbids.
configure({ useWebWorkers: false });

/** What is in an archive: an entry that is refused does not stop the rest. */
export interface Listing {
  /** By its name as written in the archive. */
  entries: { name: string; entry: FileEntry }[];
  refused: { name: string; error: WeftError }[];
}

export function isZipPath(path: string): boolean {
  return /\.(zip|cbz)$/i.test(path);
}

/** By the mark of a first entry or of an empty archive. */
export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5);
}

function refusal(entry: FileEntry, total: number): WeftError | undefined {
  const { uncompressedSize, compressedSize } = entry;
  if (entry.encrypted)
    return new WeftError("zip-encrypted", "is encrypted inside the zip.", "Unpack it and drop the folder.");
  if (uncompressedSize > limits.entryBytes)
    return new WeftError("too-large", "is larger than 64 MB inside the zip.");
  if (uncompressedSize > limits.ratio * Math.max(compressedSize, 1024))
    return new WeftError("zip-bomb", "inflates suspiciously much and was not unpacked.");
  if (total + uncompressedSize > limits.totalBytes)
    return new WeftError(
      "zip-too-large",
      "would make the zip larger than 2 GB unpacked.",
      "Unpack it and drop the folder.",
    );
  return undefined;
}

/**
 * The files of an archive by its table of contents; nothing is inflated.
 * @throws `bad-zip` when the archive itself cannot be read, `zip-too-many` above 20 000 entries; the message reads after
 * the archive's name.
 */
export async function listZip(archive: Blob): Promise<Listing> {
  // Unsafe names are no fault: they become labels.
  const reader = new ZipReader(new BlobReader(archive), { filenameValidation: "tolerant" });
  const listing: Listing = { entries: [], refused: [] };
  let total = 0;
  let count = 0;
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      if (++count > limits.entries)
        throw new WeftError(
          "zip-too-many",
          `holds more than ${limits.entries} files.`,
          "Unpack it and drop the pictures in parts.",
        );
      const name = entry.filename;
      if (entry.directory || isLitter(pathLabel(name))) continue;
      const error = refusal(entry, total);
      if (error) listing.refused.push({ name, error });
      else {
        total += entry.uncompressedSize;
        listing.entries.push({ name, entry });
      }
    }
    return listing;
  } catch (error) {
    if (error instanceof WeftError) throw error;
    throw new WeftError(
      "bad-zip",
      "is not a readable zip file.",
      "Unpack it on your computer and drop the folder.",
    );
  }
}

/** Collects what is inflated and stops at the declared size: the header may lie. */
function boundedSink(limit: number): { sink: WritableStream<Uint8Array<ArrayBuffer>>; blob: () => Blob } {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const sink = new WritableStream<Uint8Array<ArrayBuffer>>({
    write(chunk) {
      size += chunk.length;
      if (size > limit) throw new WeftError("zip-bomb", "inflates to more than it declares.");
      // zip.js may use the chunk's memory again.
      parts.push(chunk.slice());
    },
  });
  return { sink, blob: () => new Blob(parts) };
}

/** @throws WeftError when the entry is damaged or lies; the message reads after its name. */
export async function inflate(entry: FileEntry): Promise<Blob> {
  const { sink, blob } = boundedSink(entry.uncompressedSize);
  try {
    await entry.getData(sink, { checkSignature: true, checkOverlappingEntry: true });
    return blob();
  } catch (error) {
    if (error instanceof WeftError) throw error;
    throw new WeftError("bad-zip-entry", "is damaged inside the zip.", "Make the zip again.");
  }
}
