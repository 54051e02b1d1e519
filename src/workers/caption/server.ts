/** Servers that captioners' files come from: the hub, pinned to one commit, or a folder at any address. */
import * as v from "valibot";
import { WeftError } from "../../base/errors";
import { isAllowedHost } from "../../checkpoints/hosts";
import { notAllowedHost, refusedByServer, unreachable } from "../../checkpoints/httpErrors";
import { openHttpSource } from "../../checkpoints/httpSource";
import { fileUrl, listRepo } from "../../checkpoints/hub";
import type { KeptFiles } from "./keptFiles";

export interface Server {
  /** Whether it has the file, as far as it tells. */
  has(path: string): boolean;
  url(path: string): string;
  /** What the file's SHA-256 must be, where the server says so. */
  sha256(path: string): string | undefined;
}

/** The commit that a model was first downloaded at, and its files: later ones are of the same commit, offline ones too. */
const pinSchema = v.object({
  commit: v.string(),
  files: v.array(v.object({ path: v.string(), sha256: v.optional(v.string()) })),
});
type Pin = v.InferOutput<typeof pinSchema>;
const PIN = ".pin.json";

/** @throws WeftError when the hub cannot be asked and was not asked before */
export async function hubServer(
  { repo, revision }: { repo: string; revision: string },
  kept: KeptFiles,
  fetcher: typeof fetch,
): Promise<Server> {
  const { commit, files } = (await readPin(kept)) ?? (await pin(repo, revision, kept, fetcher));
  const hashes = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return {
    has: (path) => hashes.has(path),
    url: (path) => fileUrl(repo, commit, path),
    sha256: (path) => hashes.get(path),
  };
}

async function readPin(kept: KeptFiles): Promise<Pin | undefined> {
  const text = await (await kept.read(PIN))?.text();
  if (text === undefined) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), pinSchema), text);
  return parsed.success ? parsed.output : undefined;
}

async function pin(repo: string, revision: string, kept: KeptFiles, fetcher: typeof fetch): Promise<Pin> {
  const { commit, files } = await listRepo(repo, revision, undefined, fetcher);
  const value: Pin = { commit, files: files.map(({ path, sha256 }) => ({ path, sha256 })) };
  await kept.write(PIN, new Blob([JSON.stringify(value)]).stream());
  return value;
}

/** @param prefix ends with a slash */
export function urlServer(prefix: URL): Server {
  if (!isAllowedHost(prefix, self.location.origin)) throw notAllowedHost(prefix.host);
  return {
    has: () => true,
    url: (path) => new URL(path.split("/").map(encodeURIComponent).join("/"), prefix).href,
    sha256: () => undefined,
  };
}

export interface Asking {
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  readonly onBytes: (path: string, done: number, total: number) => void;
}

/**
 * Brings a file into the browser's storage, in parts; what an interrupted download brought is used. A server that knows no
 * parts sends the whole.
 * @throws WeftError `model-file-missing`, or what kept it from coming
 */
export async function download(kept: KeptFiles, server: Server, path: string, asking: Asking): Promise<Blob> {
  const wait = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));
  try {
    const source = await openHttpSource(server.url(path), { name: path, wait, ...asking });
    const onBytes = (done: number, total: number): void => asking.onBytes(path, done, total);
    return await kept.download(path, { source, sha256: server.sha256(path), onBytes });
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    if (error.code === "not-found") throw missing(path);
    if (error.code !== "no-ranges") throw error;
    return kept.write(path, (await wholeFile(server.url(path), path, asking)).stream());
  }
}

/**
 * A file in one piece.
 * @throws WeftError `model-file-missing`, or what the server's answer means
 */
export async function wholeFile(
  address: string,
  path: string,
  { fetch: ask, signal }: Pick<Asking, "fetch" | "signal">,
): Promise<Blob> {
  const asked = { what: path, host: new URL(address).host, withToken: false };
  const options: RequestInit = { signal, credentials: "omit", referrerPolicy: "no-referrer" };
  const response = await ask(address, options).catch(() => {
    signal.throwIfAborted();
    throw unreachable(asked, false);
  });
  if (response.status === 404) throw missing(path);
  if (!response.ok) throw refusedByServer(response.status, asked);
  return response.blob();
}

export function missing(path: string): WeftError {
  return new WeftError(
    "model-file-missing",
    `The model has no file "${path}".`,
    "Choose all files of the model, or its whole folder.",
  );
}
