/** A captioner's files in a folder of the browser's storage. A file that is still coming has a note beside it. */
import { WeftError } from "../../base/errors";
import type { HttpSource } from "../../checkpoints/httpSource";
import { fileHashes } from "../../formats/lora/hashes";
import { fromBlob } from "../../formats/safetensors/source";
import type { FileFolder, RandomFile } from "../../storage/randomFile";

/** Bytes asked for at a time, and at most lost when a download is interrupted. */
const PART_BYTES = 8 * 2 ** 20;
/** Ends the name of a note; encoded paths never hold the character. */
const NOTE = "=coming";

export interface Download {
  readonly source: HttpSource;
  /** What the file must be, where known. */
  readonly sha256: string | undefined;
  readonly onBytes: (done: number, total: number) => void;
}

export class KeptFiles {
  readonly #folder: FileFolder;
  readonly #partBytes: number;

  constructor(folder: FileFolder, partBytes = PART_BYTES) {
    this.#folder = folder;
    this.#partBytes = partBytes;
  }

  /** A complete file; undefined when it is not there or not all of it has come. */
  async read(path: string): Promise<Blob | undefined> {
    if (await this.#folder.snapshot(nameOf(path) + NOTE)) return undefined;
    return this.#folder.snapshot(nameOf(path));
  }

  /** Paths of the complete files. */
  async paths(): Promise<string[]> {
    const names = await this.#folder.names();
    return names
      .filter((name) => !name.endsWith(NOTE) && !names.includes(name + NOTE))
      .map((name) => decodeURIComponent(name));
  }

  /** Bytes of the model that the browser holds, those of unfinished downloads too; what is noted about it does not count. */
  async bytes(): Promise<number> {
    const names = (await this.#folder.names()).filter(
      (name) => !name.endsWith(NOTE) && !name.startsWith("."),
    );
    const files = await Promise.all(names.map((name) => this.#folder.snapshot(name)));
    return files.reduce((total, file) => total + (file?.size ?? 0), 0);
  }

  /** Whether a download is not done. */
  async isPartial(): Promise<boolean> {
    return (await this.#folder.names()).some((name) => name.endsWith(NOTE));
  }

  /** Keeps a stream whole or not at all. */
  async write(path: string, stream: ReadableStream<Uint8Array>): Promise<Blob> {
    await this.#replace(nameOf(path) + NOTE, "");
    await this.#fill(path, async (file) => {
      file.truncate(0);
      for await (const bytes of chunksOf(stream)) file.write(file.size(), bytes);
    });
    return this.#complete(path);
  }

  /**
   * Keeps a file of a server, going on where an earlier download of this very version stopped.
   * @throws WeftError `wrong-content` when the bytes are not those expected; then nothing of it stays
   */
  async download(path: string, { source, sha256, onBytes }: Download): Promise<Blob> {
    const version = JSON.stringify([source.etag, source.size, sha256]);
    const note = nameOf(path) + NOTE;
    const isSame = (await (await this.#folder.snapshot(note))?.text()) === version;
    if (!isSame) await this.#replace(note, version);
    await this.#fill(path, async (file) => {
      if (!isSame) file.truncate(0);
      // What was written last may not have reached the disk when the power went.
      let done = Math.floor(file.size() / this.#partBytes) * this.#partBytes;
      while (done < source.size) {
        onBytes(done, source.size);
        const bytes = await source.read(done, Math.min(this.#partBytes, source.size - done));
        file.write(done, bytes);
        file.flush();
        done += bytes.byteLength;
      }
    });
    if (sha256 !== undefined) await this.#check(path, sha256);
    return this.#complete(path);
  }

  async #fill(path: string, work: (file: RandomFile) => Promise<void>): Promise<void> {
    const file = await this.#folder.open(nameOf(path));
    try {
      await work(file);
      file.flush();
    } finally {
      file.close();
    }
  }

  /** Reads the file back: a browser whose storage is full may take bytes and keep none. */
  async #check(path: string, sha256: string): Promise<void> {
    const file = await this.#folder.snapshot(nameOf(path));
    if (file && (await fileHashes(fromBlob(file, path), 0)).sha256 === sha256) return;
    await this.#folder.remove(nameOf(path));
    throw new WeftError(
      "wrong-content",
      `"${path}" did not arrive as it is on the server.`,
      "Free disk space if there is little, then try again.",
    );
  }

  async #complete(path: string): Promise<Blob> {
    await this.#folder.remove(nameOf(path) + NOTE);
    return (await this.#folder.snapshot(nameOf(path))) ?? new Blob();
  }

  async #replace(name: string, text: string): Promise<void> {
    const file = await this.#folder.open(name);
    try {
      file.truncate(0);
      file.write(0, new TextEncoder().encode(text));
      file.flush();
    } finally {
      file.close();
    }
  }
}

/** A path as a file name. */
export function nameOf(path: string): string {
  return encodeURIComponent(path).replaceAll("*", "%2A");
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}
