/** Captioners' files in the origin-private file system: a folder per model, a file per path. Worker only. */
import { WeftError } from "../../base/errors";
import type { KeptModel } from "./api";

const root = "captioners";

function safe(name: string): string {
  return encodeURIComponent(name).replaceAll("*", "%2A");
}

async function rootFolder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(root, { create: true });
}

function isMissing(error: unknown): boolean {
  return error instanceof DOMException && error.name === "NotFoundError";
}

function storageError(error: unknown): unknown {
  if (error instanceof DOMException && error.name === "QuotaExceededError")
    return new WeftError(
      "storage-full",
      "The browser has no room left for this model.",
      "Free disk space, remove models you no longer use, or choose a smaller one.",
    );
  return error;
}

async function folderOf(model: string): Promise<FileSystemDirectoryHandle> {
  return (await rootFolder()).getDirectoryHandle(safe(model), { create: true });
}

/** A complete file, undefined when it is not there or was being written when the browser ended. */
export async function readKept(model: string, path: string): Promise<File | undefined> {
  try {
    const file = await (await (await folderOf(model)).getFileHandle(safe(path))).getFile();
    return file.size > 0 ? file : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(error);
  }
}

/** Paths of a model's files. */
export async function keptPaths(model: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const name of (await folderOf(model)).keys()) paths.push(decodeURIComponent(name));
  return paths;
}

/** Writes a stream; until it is complete the file is empty, and taken back if it fails. */
export async function writeKept(
  model: string,
  path: string,
  stream: ReadableStream<Uint8Array>,
): Promise<File> {
  const folder = await folderOf(model);
  const handle = await folder.getFileHandle(safe(path), { create: true });
  try {
    await stream.pipeTo(await handle.createWritable());
    return await handle.getFile();
  } catch (error) {
    await folder.removeEntry(safe(path)).catch(() => undefined);
    throw storageError(error);
  }
}

export async function keptModels(): Promise<KeptModel[]> {
  const models: KeptModel[] = [];
  for await (const [name, handle] of (await rootFolder()).entries()) {
    if (!(handle instanceof FileSystemDirectoryHandle)) continue;
    let bytes = 0;
    for await (const file of handle.values())
      if (file instanceof FileSystemFileHandle) bytes += (await file.getFile()).size;
    if (bytes > 0) models.push({ name: decodeURIComponent(name), bytes });
  }
  return models.toSorted((a, b) => a.name.localeCompare(b.name));
}

export async function forgetModel(model: string): Promise<void> {
  await (await rootFolder()).removeEntry(safe(model), { recursive: true }).catch((error: unknown) => {
    if (!isMissing(error)) throw storageError(error);
  });
}
