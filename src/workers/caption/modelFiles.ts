/** A captioner's files, wherever they come from: read from the browser's storage, downloaded into it once. */
import { WeftError } from "../../base/errors";
import { HUB } from "../../checkpoints/hosts";
import type { Preparing } from "../../captioning/types";
import type { ModelSource } from "./api";
import { keptPaths, readKept, writeKept } from "./keptFiles";

/** Larger graphs than this do not fit a 32-bit WebAssembly memory anyway. */
const mostBytes = 4 * 1024 ** 3 - 65536;

interface Surroundings {
  base: string;
  signal: AbortSignal;
  onPreparing(step: Preparing): void;
}

export interface ModelFiles {
  /** Identifies the model. */
  key: string;
  file(path: string): Promise<Uint8Array<ArrayBuffer>>;
  hasFile(path: string): Promise<boolean>;
}

export function missing(path: string): WeftError {
  return new WeftError(
    "model-file-missing",
    `The model has no file "${path}".`,
    "Choose all files of the model, or its whole folder.",
  );
}

async function bytesOf(file: Blob, path: string): Promise<Uint8Array<ArrayBuffer>> {
  if (file.size > mostBytes)
    throw new WeftError(
      "model-too-large",
      `"${path}" is larger than a browser can run.`,
      "Choose a smaller model.",
    );
  return new Uint8Array(await file.arrayBuffer());
}

/** Counts bytes as they pass, at most ten times a second. */
function counted(onBytes: (done: number) => void): TransformStream<Uint8Array, Uint8Array> {
  let done = 0;
  let told = 0;
  return new TransformStream({
    transform(chunk, controller) {
      done += chunk.byteLength;
      const now = performance.now();
      if (now - told > 100) {
        told = now;
        onBytes(done);
      }
      controller.enqueue(chunk);
    },
  });
}

async function request(address: string, path: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { signal, credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (error) {
    signal.throwIfAborted();
    throw new WeftError(
      "download-failed",
      `"${path}" could not be downloaded: ${error instanceof Error ? error.message : String(error)}`,
      "Check the connection. Without one, choose the model's files from your disk. Only this site and huggingface.co may be asked.",
    );
  }
  if (response.status === 404) throw missing(path);
  if (!response.ok)
    throw new WeftError(
      "download-failed",
      `The server answered ${response.status} for "${path}".`,
      "Try again later, or choose the model's files from your disk.",
    );
  return response;
}

/** Files under an address: small ones of the site are simply fetched, others are kept. */
function remote(key: string, prefix: string, keep: boolean, around: Surroundings): ModelFiles {
  async function download(path: string): Promise<Blob> {
    const address = prefix + path.split("/").map(encodeURIComponent).join("/");
    const response = await request(address, path, around.signal);
    const total = Number(response.headers.get("content-length") ?? 0);
    const counter = counted((done) => around.onPreparing({ stage: "downloading", label: path, done, total }));
    const stream = (response.body ?? new Blob().stream()).pipeThrough(counter, { signal: around.signal });
    return keep ? writeKept(key, path, stream) : new Response(stream).blob();
  }
  return {
    key,
    file: async (path) =>
      bytesOf((keep ? await readKept(key, path) : undefined) ?? (await download(path)), path),
    hasFile: () => Promise.resolve(true),
  };
}

/** Paths of chosen files lose the folder they share, so that a model's folder may have any name. */
export function relativePaths(paths: readonly string[]): string[] {
  const split = paths.map((path) => path.split("/"));
  const shared = split[0]?.slice(0, -1) ?? [];
  let depth = 0;
  while (
    depth < shared.length &&
    split.every((parts) => parts.length > depth + 1 && parts[depth] === shared[depth])
  )
    depth++;
  return split.map((parts) => parts.slice(depth).join("/"));
}

/** What people's exports are called → what captioners ask for. */
const ownNames: Readonly<Record<string, RegExp>> = {
  "image.onnx": /(?:vision|visual|image)[^/]*\.onnx$/i,
  "text.onnx": /text[^/]*\.onnx$/i,
  "model.onnx": /\.onnx$/i,
  "selected_tags.csv": /\.csv$/i,
  "tag_mapping.json": /tag_mapping[^/]*\.json$/i,
};

/** The path that is meant: the same one, the same in any folder, or the only one that fits by its name. */
export function findPath(path: string, paths: readonly string[]): string | undefined {
  const exact = paths.find((one) => one === path) ?? paths.find((one) => one.endsWith(`/${path}`));
  if (exact !== undefined) return exact;
  const pattern = ownNames[path];
  const fitting = pattern ? paths.filter((one) => pattern.test(one)) : [];
  const flat = path.includes("/") ? paths.find((one) => one === path.replace(/^.*\//, "")) : undefined;
  return flat ?? (fitting.length === 1 ? fitting[0] : undefined);
}

function local(
  key: string,
  paths: readonly string[],
  read: (path: string) => Promise<Blob | undefined>,
): ModelFiles {
  return {
    key,
    file: async (path) => {
      const found = findPath(path, paths);
      const file = found === undefined ? undefined : await read(found);
      if (!file) throw missing(path);
      return bytesOf(file, path);
    },
    hasFile: (path) => Promise.resolve(findPath(path, paths) !== undefined),
  };
}

/** Copies chosen files into the browser's storage, so that they need not be chosen again. */
async function keepChosen(
  source: Extract<ModelSource, { kind: "files" }>,
  { onPreparing, signal }: Surroundings,
): Promise<void> {
  const paths = relativePaths(source.files.map(({ path }) => path));
  for (const [i, { file }] of source.files.entries()) {
    signal.throwIfAborted();
    const path = paths[i] ?? "";
    onPreparing({ stage: "loading", label: path, done: i, total: source.files.length });
    await writeKept(source.name, path, file.stream());
  }
}

export async function openModelFiles(source: ModelSource, around: Surroundings): Promise<ModelFiles> {
  switch (source.kind) {
    case "site":
      return remote(`site/${source.folder}`, new URL(source.folder, around.base).href, false, around);
    case "hub": {
      const prefix = `${HUB}/${source.repo}/resolve/${encodeURIComponent(source.revision)}/`;
      return remote(`${source.repo}@${source.revision}`, prefix, true, around);
    }
    case "url": {
      const prefix = source.address.endsWith("/") ? source.address : `${source.address}/`;
      return remote(prefix, new URL(prefix, around.base).href, true, around);
    }
    case "files":
      await keepChosen(source, around);
      return local(source.name, await keptPaths(source.name), (path) => readKept(source.name, path));
    case "kept":
      return local(source.name, await keptPaths(source.name), (path) => readKept(source.name, path));
  }
}
