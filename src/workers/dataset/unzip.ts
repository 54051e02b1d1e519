/**
 * Zip files of pictures, read as hostile input: entry names are labels and never paths, and every size is bounded
 * both as declared and as inflated (T-F3).
 */
import { BlobReader, BlobWriter, configure, ZipReader, type FileEntry } from "@zip.js/zip.js";
import { WeftError } from "../../base/errors";
import type { NamedFile } from "./api";

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

/** What the caller learns entry by entry; an entry that is refused does not stop the rest. */
export type Unzipped =
  { kind: "file"; file: NamedFile } | { kind: "refused"; path: string; error: WeftError };

export function isZip(path: string, head: Uint8Array): boolean {
  return (
    /\.(zip|cbz)$/i.test(path) || (head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5))
  );
}

/** Entry names use `\` when made on some Windows tools; `..`, drive letters and leading slashes say nothing. */
function label(name: string): string {
  const parts = name.replaceAll("\\", "/").split("/");
  return parts.filter((part) => part && part !== "." && part !== ".." && !/^[A-Za-z]:$/.test(part)).join("/");
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
 * Files of an archive, one at a time.
 * @throws `bad-zip` when the archive itself cannot be read, `zip-too-many` above 20 000 entries.
 */
export async function* unzip(archive: Blob, name: string): AsyncGenerator<Unzipped> {
  const reader = new ZipReader(new BlobReader(archive));
  let total = 0;
  let count = 0;
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      if (++count > limits.entries)
        throw new WeftError("zip-too-many", `"${name}" holds more than ${limits.entries} entries.`);
      if (entry.directory) continue;
      const path = label(entry.filename);
      const error = refusal(entry, total);
      if (error) yield { kind: "refused", path, error };
      else {
        const file = await inflate(entry);
        total += file.size;
        yield { kind: "file", file: { path, file } };
      }
    }
  } catch (error) {
    if (error instanceof WeftError) throw error;
    throw new WeftError(
      "bad-zip",
      `"${name}" is not a readable zip file.`,
      "Unpack it on your computer and drop the folder.",
    );
  } finally {
    await reader.close();
  }
}

/** Stops inflating at the declared size: the header may lie. */
async function inflate(entry: FileEntry): Promise<Blob> {
  const writer = new BlobWriter();
  const abort = new AbortController();
  const onprogress = (done: number): undefined => {
    if (done > limits.entryBytes) abort.abort();
  };
  return entry.getData(writer, { signal: abort.signal, onprogress, checkSignature: true });
}
