/** A folder of the origin-private file system, written through sync access handles. Works in workers only. */
import { WeftError } from "../base/errors";
import { storageError } from "./errors";
import type { FileFolder, RandomFile } from "./randomFile";

/**
 * @param name folder below the origin's root; created when first needed
 * @throws WeftError `storage-failed` where the browser has no such file system (private windows of some browsers)
 */
export function opfsFolder(name: string): FileFolder {
  const folder = async () =>
    (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
  return {
    names: () =>
      guarded(async () => {
        const names: string[] = [];
        for await (const entry of (await folder()).values())
          if (entry.kind === "file") names.push(entry.name);
        return names.sort();
      }),
    open: (file) => guarded(async () => opened(await (await folder()).getFileHandle(file, { create: true }))),
    snapshot: (file) => absent(async () => (await (await folder()).getFileHandle(file)).getFile()),
    remove: async (file) => {
      await absent(async () => (await folder()).removeEntry(file));
    },
  };
}

async function opened(file: FileSystemFileHandle): Promise<RandomFile> {
  const handle = await file.createSyncAccessHandle();
  return {
    size: () => now(() => handle.getSize()),
    read: (at, length) =>
      now(() => {
        const bytes = new Uint8Array(length);
        const read = handle.read(bytes, { at });
        return read === length ? bytes : bytes.slice(0, read);
      }),
    write: (at, bytes) =>
      now(() => {
        const written = handle.write(bytes, { at });
        // A full disk shows in either: fewer bytes, or a file that did not grow.
        const missing = written < bytes.byteLength || handle.getSize() < at + bytes.byteLength;
        if (missing) throw new DOMException("", "QuotaExceededError");
      }),
    truncate: (size) => now(() => handle.truncate(size)),
    flush: () => now(() => handle.flush()),
    close: () => handle.close(),
  };
}

function now<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storageError(error);
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DOMException && error.name === "NoModificationAllowedError")
      throw new WeftError("busy", "Another tab is writing this model.", "Wait until it is done there.");
    throw storageError(error);
  }
}

/** Undefined when the file is not there. */
function absent<T>(work: () => Promise<T>): Promise<T | undefined> {
  return guarded(() =>
    work().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
      throw error;
    }),
  );
}
