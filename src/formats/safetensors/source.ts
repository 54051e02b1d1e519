/**
 * Random access to bytes that may be far larger than memory: a File the person picked, an OPFS file, a buffer.
 * Readers ask for ranges; nothing ever reads a whole file.
 */
import { TensorFileError } from "./errors";

export interface ByteSource {
  /** File name for messages; never a path. */
  readonly name: string;
  /** Total bytes. */
  readonly size: number;
  /**
   * Bytes [offset, offset + length).
   * @throws TensorFileError `unreadable` when the file vanished, changed, or is shorter than promised.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A source over a Blob or File. */
export function fromBlob(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      const bytes = await blob
        .slice(offset, offset + length)
        .arrayBuffer()
        .catch(unreadable(name));
      return whole(new Uint8Array(bytes), length, name);
    },
  };
}

/** A source over bytes already in memory; `read` returns copies, so callers may transfer them. */
export function fromBytes(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read: (offset, length) =>
      Promise.resolve().then(() => whole(new Uint8Array(bytes.slice(offset, offset + length)), length, name)),
  };
}

/** Passes `bytes` on when all of them arrived. @throws TensorFileError `unreadable` */
export function whole(bytes: Uint8Array<ArrayBuffer>, length: number, name: string): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength === length) return bytes;
  throw new TensorFileError(
    "unreadable",
    `"${name}" ended after ${bytes.byteLength} of ${length} bytes that were asked for.`,
    "The file changed while it was being read. Pick it again.",
  );
}

/** Turns whatever a platform throws while reading into an error that names the file. */
function unreadable(name: string): (cause: unknown) => never {
  return (cause) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TensorFileError(
      "unreadable",
      `"${name}" could not be read (${why}).`,
      "The file was moved, changed or is on a disk that went away. Pick it again.",
    );
  };
}
