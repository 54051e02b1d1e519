/** A folder of the origin-private file system, written through sync access handles. Works in workers only. */
import { WeftError } from "../base/errors";
import { storageError } from "./errors";
import type { FileFolder, RandomFile } from "./randomFile";

/**
 * @param path folders below the origin's root; created when first needed
 * @throws WeftError `storage-failed` where the browser has no such file system (private windows of some browsers)
 */
export function opfsFolder(...path: readonly string[]): FileFolder {
  const folder = () => directory(path);
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

/** Names of the folders in a folder. */
export function opfsFolders(...path: readonly string[]): Promise<string[]> {
  return guarded(async () => {
    const names: string[] = [];
    for await (const entry of (await directory(path)).values())
      if (entry.kind === "directory") names.push(entry.name);
    return names.sort();
  });
}

/** Removes a folder of a folder with all it holds. Nothing happens when it is not there. */
export async function removeOpfsFolder(name: string, ...path: readonly string[]): Promise<void> {
  await absent(async () => (await directory(path)).removeEntry(name, { recursive: true }));
}

async function directory(path: readonly string[]): Promise<FileSystemDirectoryHandle> {
  let folder = await navigator.storage.getDirectory();
  for (const name of path) folder = await folder.getDirectoryHandle(name, { create: true });
  return folder;
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
