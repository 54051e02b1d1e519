/** From what the person picked or pasted to a bundle that can be imported. */
import { WeftError } from "../../base/errors";
import {
  fileUrl,
  listRepo,
  choicesOf,
  parseReference,
  type HubChoice,
  type HubRepo,
} from "../../checkpoints/hub";
import { isAllowedHost } from "../../checkpoints/hosts";
import { notAllowedHost } from "../../checkpoints/httpErrors";
import { openHttpSource, type HttpOptions, type HttpSource } from "../../checkpoints/httpSource";
import { fingerprint, remoteIdentity } from "../../checkpoints/library";
import type { Origin } from "../../checkpoints/records";
import { singleFile, type Bundle } from "../../formats/checkpoint/bundle";
import { diffusersFolder, filesOfFolder, isDiffusersFolder } from "../../formats/checkpoint/diffusers";
import { fromBlob } from "../../formats/safetensors/source";
import type { CheckpointSource, PickedFile, RemoteListing } from "./api";

export interface Found {
  readonly bundle: Bundle;
  readonly origin: Origin;
  readonly identity: string;
  /** SHA-256 that the hub gives for each file, in the order of the bundle's files. */
  readonly expected: readonly (string | undefined)[];
}

export interface Network {
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** @throws WeftError or TensorFileError that says what is wrong with it */
export async function findCheckpoint(source: CheckpointSource, network: Network): Promise<Found> {
  if (source.kind === "remote") return remote(source.reference, source.choice, network);
  const bundle =
    source.kind === "file"
      ? await singleFile(fromBlob(source.file, source.file.name))
      : await pickedFolder(source.name, source.files);
  const origin: Origin =
    source.kind === "file" ? { kind: "file", name: source.file.name } : { kind: "folder", name: source.name };
  return { bundle, origin, identity: await fingerprint(bundle), expected: [] };
}

async function pickedFolder(name: string, files: readonly PickedFile[]): Promise<Bundle> {
  const paths = files.map(({ path }) => path);
  if (!isDiffusersFolder(paths))
    throw new WeftError(
      "not-a-model-folder",
      `"${name}" is no diffusers model: it holds no model_index.json with a unet/ folder beside it.`,
      "Pick the folder that holds model_index.json, or a single .safetensors file.",
    );
  const wanted = new Set(filesOfFolder(paths, name));
  const chosen = files.filter(({ path }) => wanted.has(path));
  return diffusersFolder(
    name,
    chosen.map(({ path, file }) => ({ path, source: fromBlob(file, path) })),
  );
}

async function remote(text: string, choice: string | undefined, network: Network): Promise<Found> {
  const reference = parseReference(text);
  const origin: Origin = { kind: "remote", reference: text, ...(choice !== undefined && { choice }) };
  if (reference.kind === "url") return remoteFile(reference.url, origin, network);
  const repo = await listRepo(reference.repo, reference.revision, network.token, fetch);
  const wanted = choice ?? reference.path;
  const found = choicesOf(repo).find(({ path }) => path === wanted);
  if (found) return remoteChoice(repo, found, origin, network);
  throw new WeftError(
    "not-found",
    `${reference.repo} has no "${wanted ?? "model"}" that Weft can import.`,
    "Look at the list of its files and take a .safetensors checkpoint.",
  );
}

async function remoteFile(url: string, origin: Origin, network: Network): Promise<Found> {
  const { hostname, pathname } = new URL(url);
  const name = decodeURIComponent(pathname.split("/").at(-1) ?? "") || hostname;
  const source = await open(url, { name, ...network, token: undefined });
  const identity = await remoteIdentity([url, source.etag, String(source.size)]);
  return { bundle: await singleFile(source), origin, identity, expected: [] };
}

async function remoteChoice(
  { repo, commit }: HubRepo,
  { path, files }: HubChoice,
  origin: Origin,
  network: Network,
): Promise<Found> {
  const opened = await Promise.all(
    files.map(async (file) => {
      const options = { name: file.path, size: file.size || undefined, ...network };
      return { file, source: await open(fileUrl(repo, commit, file.path), options) };
    }),
  );
  const [first] = opened;
  const bundle =
    path === "" || !first
      ? await diffusersFolder(
          repo,
          opened.map(({ file, source }) => ({ path: file.path, source })),
        )
      : { ...(await singleFile(first.source)), title: path.split("/").at(-1) ?? path };
  const hashes = new Map(files.map((file) => [file.path, file.sha256]));
  return {
    bundle,
    origin,
    identity: await remoteIdentity(files.map((file) => file.sha256 ?? `${repo}@${commit}/${file.path}`)),
    expected: bundle.files.map(({ name }) => hashes.get(name)),
  };
}

async function open(url: string, options: Omit<HttpOptions, "fetch" | "wait">): Promise<HttpSource> {
  const address = new URL(url);
  if (!isAllowedHost(address, self.location.origin)) throw notAllowedHost(address.host);
  const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
  return openHttpSource(url, { ...options, fetch, wait });
}

/** What an address offers. */
export async function browse(text: string, token: string | undefined): Promise<RemoteListing> {
  const reference = parseReference(text);
  if (reference.kind === "url") {
    const source = await open(reference.url, { name: reference.url });
    const title = decodeURIComponent(new URL(reference.url).pathname.split("/").at(-1) ?? reference.url);
    return {
      reference: reference.url,
      title,
      license: "",
      isGated: false,
      page: reference.url,
      offers: [{ path: "", bytes: source.size, files: 1 }],
    };
  }
  const repo = await listRepo(reference.repo, reference.revision, token, fetch);
  const offers = choicesOf(repo).filter(
    ({ path }) => reference.path === undefined || path === reference.path,
  );
  return {
    reference: `${repo.repo}@${repo.commit}`,
    title: repo.repo,
    license: repo.license,
    isGated: repo.isGated,
    page: `https://huggingface.co/${repo.repo}`,
    offers: offers.map(({ path, bytes, files }) => ({ path, bytes, files: files.length })),
  };
}
