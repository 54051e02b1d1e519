/** A disk for tests: it can be full, fail at the k-th call, and forget what was not flushed. */
import { storageError } from "../../storage/errors";
import type { FileFolder, RandomFile } from "../../storage/randomFile";

interface Stored {
  bytes: Uint8Array<ArrayBuffer>;
  /** As it was at the last flush. */
  safe: Uint8Array<ArrayBuffer>;
}

export class MemoryFolder implements FileFolder {
  /** Bytes that fit; writing more throws as a browser does. */
  quota = Number.POSITIVE_INFINITY;
  /** The k-th writing call from now on fails. */
  failAt = Number.POSITIVE_INFINITY;
  /** Called with the number of each writing call. */
  calls = 0;
  readonly #files = new Map<string, Stored>();

  names(): Promise<string[]> {
    return Promise.resolve([...this.#files.keys()].sort());
  }

  open(name: string): Promise<RandomFile> {
    const stored = this.#files.get(name) ?? { bytes: new Uint8Array(), safe: new Uint8Array() };
    this.#files.set(name, stored);
    return Promise.resolve({
      size: () => stored.bytes.byteLength,
      read: (at, length) => stored.bytes.slice(at, at + length),
      write: (at, bytes) => this.#write(stored, at, bytes),
      truncate: (size) => {
        this.#count();
        stored.bytes = resized(stored.bytes, size);
      },
      flush: () => {
        this.#count();
        stored.safe = stored.bytes.slice();
      },
      close: () => undefined,
    });
  }

  snapshot(name: string): Promise<Blob | undefined> {
    const stored = this.#files.get(name);
    return Promise.resolve(stored && new Blob([stored.bytes]));
  }

  remove(name: string): Promise<void> {
    this.#files.delete(name);
    return Promise.resolve();
  }

  /** Power is cut: of what was written since the last flush, `survives(offset)` tells which bytes reached the disk. */
  crash(survives: (block: number) => boolean): void {
    for (const stored of this.#files.values()) {
      const after = resized(stored.safe, Math.max(stored.safe.byteLength, stored.bytes.byteLength));
      for (let at = 0; at < stored.bytes.byteLength; at += 512) {
        if (survives(at / 512)) after.set(stored.bytes.subarray(at, at + 512), at);
      }
      stored.bytes = after;
      stored.safe = after.slice();
    }
  }

  /** Turns one bit over. */
  rot(name: string, at: number): void {
    const stored = this.#files.get(name);
    if (stored) stored.bytes[at] = (stored.bytes[at] ?? 0) ^ 1;
  }

  #write(stored: Stored, at: number, bytes: Uint8Array): void {
    this.#count();
    const size = Math.max(stored.bytes.byteLength, at + bytes.byteLength);
    const others = [...this.#files.values()].reduce((total, file) => total + file.bytes.byteLength, 0);
    if (others - stored.bytes.byteLength + size > this.quota)
      throw storageError(new DOMException("", "QuotaExceededError"));
    if (size > stored.bytes.byteLength) stored.bytes = extended(stored.bytes, size);
    stored.bytes.set(bytes, at);
  }

  #count(): void {
    this.calls++;
    if (--this.failAt === 0) throw storageError(new Error("the disk failed"));
  }
}

/** The same with room to grow behind it: a file is written in hundreds of appends. */
function extended(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes.buffer.byteLength < size ? resized(bytes, 2 * size) : bytes;
  const result = new Uint8Array(buffer, 0, size);
  // What a longer file left there.
  result.fill(0, bytes.byteLength);
  return result;
}

function resized(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  return result;
}
