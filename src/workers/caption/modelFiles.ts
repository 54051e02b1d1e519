/** A captioner's files, wherever they come from: the site, the person's disk, or a server by way of the browser's storage. */
import { WeftError } from "../../base/errors";
import { parseReference } from "../../checkpoints/hub";
import type { Preparing } from "../../captioning/types";
import { opfsFolder, opfsFolders, removeOpfsFolder } from "../../storage/opfs";
import type { KeptModel, ModelSource } from "./api";
import { KeptFiles, nameOf } from "./keptFiles";
import { download, hubServer, missing, urlServer, wholeFile, type Server } from "./server";

/** Larger graphs than this do not fit a 32-bit WebAssembly memory anyway. */
const mostBytes = 4 * 1024 ** 3 - 65536;
const root = "captioners";

interface Surroundings {
  base: string;
  signal: AbortSignal;
  onPreparing(step: Preparing): void;
}

export interface ModelFiles {
  /** Identifies the model. */
  key: string;
  /** @throws WeftError `model-file-missing` */
  file(path: string): Promise<Uint8Array<ArrayBuffer>>;
  hasFile(path: string): Promise<boolean>;
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

/** Files of the site: small, and in the browser's cache. */
function site(folder: string, { base, signal }: Surroundings): ModelFiles {
  const server = urlServer(new URL(folder, base));
  return {
    key: `site/${folder}`,
    file: async (path) => bytesOf(await wholeFile(server.url(path), path, { fetch, signal }), path),
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

/** Copies chosen files into the browser's storage, so that they need not be chosen again. */
async function keepChosen(
  kept: KeptFiles,
  source: Extract<ModelSource, { kind: "files" }>,
  { onPreparing, signal }: Surroundings,
): Promise<void> {
  const paths = relativePaths(source.files.map(({ path }) => path));
  for (const [i, { file }] of source.files.entries()) {
    signal.throwIfAborted();
    const path = paths[i] ?? "";
    onPreparing({ stage: "loading", label: path, done: i, total: source.files.length });
    await kept.write(path, file.stream());
  }
}

/** Two who ask for one file at the same time wait for one download. */
function onceAtATime(read: (path: string) => Promise<Blob>): ModelFiles["file"] {
  const underWay = new Map<string, Promise<Blob>>();
  return async (path) => {
    const reading = underWay.get(path) ?? read(path);
    underWay.set(path, reading);
    try {
      return await bytesOf(await reading, path);
    } finally {
      underWay.delete(path);
    }
  };
}

/** Files of a server, each downloaded when it is first wanted. */
function fromServer(
  key: string,
  kept: KeptFiles,
  server: Server,
  { signal, onPreparing }: Surroundings,
): ModelFiles {
  const onBytes = (label: string, done: number, total: number): void =>
    onPreparing({ stage: "downloading", label, done, total });
  return {
    key,
    file: onceAtATime(
      async (path) =>
        (await kept.read(path)) ?? (await download(kept, server, path, { fetch, signal, onBytes })),
    ),
    hasFile: (path) => Promise.resolve(server.has(path)),
  };
}

/** Files of the browser's storage. */
async function fromStorage(name: string, kept: KeptFiles): Promise<ModelFiles> {
  const paths = await kept.paths();
  return {
    key: name,
    file: async (path) => {
      const found = findPath(path, paths);
      const file = found === undefined ? undefined : await kept.read(found);
      if (!file) throw missing(path);
      return bytesOf(file, path);
    },
    hasFile: (path) => Promise.resolve(findPath(path, paths) !== undefined),
  };
}

export async function openModelFiles(source: ModelSource, around: Surroundings): Promise<ModelFiles> {
  switch (source.kind) {
    case "site":
      return site(source.folder, around);
    case "hub": {
      const name = `${source.repo}@${source.revision}`;
      const kept = keptFiles(name);
      return fromServer(name, kept, await hubServer(source, kept, fetch), around);
    }
    case "url": {
      const address = source.address.endsWith("/") ? source.address : `${source.address}/`;
      const prefix = new URL(address, around.base);
      // A repository's address is its name in other words: its files have a commit and hashes.
      const reference = parseReference(prefix.href);
      if (reference.kind === "hub" && reference.path === undefined) return openModelFiles(reference, around);
      return fromServer(prefix.href, keptFiles(prefix.href), urlServer(prefix), around);
    }
    case "files": {
      const kept = keptFiles(source.name);
      await keepChosen(kept, source, around);
      return fromStorage(source.name, kept);
    }
    case "kept":
      return fromStorage(source.name, keptFiles(source.name));
  }
}

function keptFiles(model: string): KeptFiles {
  return new KeptFiles(opfsFolder(root, nameOf(model)));
}

/** What the browser's storage holds. */
export async function keptModels(): Promise<KeptModel[]> {
  const names = await opfsFolders(root);
  const models = await Promise.all(
    names.map(async (name) => {
      const kept = new KeptFiles(opfsFolder(root, name));
      const [bytes, isPartial] = await Promise.all([kept.bytes(), kept.isPartial()]);
      return { name: decodeURIComponent(name), bytes, isPartial };
    }),
  );
  return models.filter(({ bytes }) => bytes > 0).toSorted((a, b) => a.name.localeCompare(b.name));
}

export function forgetModel(model: string): Promise<void> {
  return removeOpfsFolder(nameOf(model), root);
}
