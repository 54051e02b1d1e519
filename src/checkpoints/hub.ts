/** Model repositories of the hub: what the person pasted, what is in there, what of it can be imported. */
import * as v from "valibot";
import { WeftError } from "../base/errors";
import { isDiffusersFolder, filesOfFolder } from "../formats/checkpoint/diffusers";
import { HUB } from "./hosts";
import { refusedByServer, unreachable } from "./httpErrors";

/** What an address means. */
export type Reference =
  | { readonly kind: "hub"; readonly repo: string; readonly revision: string; readonly path?: string }
  | { readonly kind: "url"; readonly url: string };

const REPO = /^[\w.-]{1,96}\/[\w.-]{1,96}$/;

/**
 * Reads `owner/name`, `owner/name@revision`, `owner/name/path/file.safetensors`, a page of the hub, or any address.
 * @throws WeftError `bad-address`
 */
export function parseReference(text: string): Reference {
  const trimmed = text.trim();
  if (/^https?:\/\//i.test(trimmed)) return parseUrl(trimmed);
  const [owner = "", rest = "", ...inside] = trimmed.split("/").filter(Boolean);
  const [name = "", revision = "main"] = rest.split("@");
  const repo = `${owner}/${name}`;
  if (REPO.test(repo)) return hubReference(repo, revision, inside.join("/"));
  throw badAddress(trimmed);
}

function parseUrl(text: string): Reference {
  if (!URL.canParse(text)) throw badAddress(text);
  const url = new URL(text);
  if (url.protocol !== "https:" && !["localhost", "127.0.0.1"].includes(url.hostname))
    throw new WeftError(
      "bad-address",
      "Only https addresses are fetched.",
      "Use the address that begins with https.",
    );
  if (url.origin !== HUB) return { kind: "url", url: url.href };
  const [owner = "", name = "", page, revision = "main", ...inside] = decodeURIComponent(url.pathname)
    .split("/")
    .filter(Boolean);
  const repo = `${owner}/${name}`;
  if (!REPO.test(repo)) throw badAddress(text);
  if (page === undefined) return hubReference(repo, "main", "");
  if (page === "tree") return hubReference(repo, revision, "");
  if (page === "blob" || page === "resolve") return hubReference(repo, revision, inside.join("/"));
  throw badAddress(text);
}

function hubReference(repo: string, revision: string, path: string): Reference {
  return { kind: "hub", repo, revision, ...(path !== "" && { path }) };
}

function badAddress(text: string): WeftError {
  return new WeftError(
    "bad-address",
    `"${text.slice(0, 80)}" is neither a repository nor an address.`,
    "Paste owner/name, a page of huggingface.co, or an address that begins with https.",
  );
}

const fileSchema = v.object({
  rfilename: v.pipe(v.string(), v.maxLength(1024)),
  size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  lfs: v.optional(v.object({ sha256: v.optional(v.string()) })),
});
const repoSchema = v.object({
  sha: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
  gated: v.optional(v.union([v.boolean(), v.string()])),
  cardData: v.nullish(v.object({ license: v.nullish(v.union([v.string(), v.array(v.string())])) })),
  siblings: v.pipe(v.array(fileSchema), v.maxLength(20_000)),
});

export interface HubFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string | undefined;
}

export interface HubRepo {
  readonly repo: string;
  /** What the revision means now: downloads are pinned to it. */
  readonly commit: string;
  readonly isGated: boolean;
  readonly license: string;
  readonly files: readonly HubFile[];
}

/** Lists a repository. @throws WeftError `gated`, `not-found`, `too-many-requests`, `unreachable`, `server-error` */
export async function listRepo(
  repo: string,
  revision: string,
  token: string | undefined,
  fetcher: typeof fetch,
): Promise<HubRepo> {
  const asked = { what: repo, host: new URL(HUB).host, withToken: token !== undefined };
  const url = `${HUB}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await fetcher(url, {
    credentials: "omit",
    referrerPolicy: "no-referrer",
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  }).catch(() => {
    throw unreachable(asked, false);
  });
  if (!response.ok) throw refusedByServer(response.status, asked);
  const parsed = v.safeParse(repoSchema, await response.json().catch(() => null));
  if (!parsed.success)
    throw new WeftError(
      "server-error",
      `${asked.host} answered in a form Weft does not know.`,
      "Try again later.",
    );
  const { sha, gated, cardData, siblings } = parsed.output;
  return {
    repo,
    commit: sha,
    isGated: gated !== undefined && gated !== false,
    license: [cardData?.license ?? ""].flat().join(", "),
    files: siblings.map(({ rfilename, size, lfs }) => ({
      path: rfilename,
      size: size ?? 0,
      sha256: lfs?.sha256,
    })),
  };
}

/** The address of a file's bytes; it redirects to where they lie. */
export function fileUrl(repo: string, commit: string, path: string): string {
  return `${HUB}/${repo}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** Something in a repository that can be imported: one file, or the whole as a diffusers folder (path ""). */
export interface HubChoice {
  readonly path: string;
  readonly files: readonly HubFile[];
  readonly bytes: number;
}

/** Everything worth offering, single files first, largest first. */
export function choicesOf({ files, repo }: HubRepo): HubChoice[] {
  const single = files
    .filter(({ path }) => path.endsWith(".safetensors") && !/-\d{5}-of-\d{5}\./.test(path))
    .filter(({ path }) => !/^(unet|vae|text_encoder(_2)?|safety_checker|image_encoder)\//.test(path))
    .map((file): HubChoice => ({ path: file.path, files: [file], bytes: file.size }))
    .sort((a, b) => b.bytes - a.bytes);
  const folder = folderChoice(files, repo);
  return folder ? [...single, folder] : single;
}

function folderChoice(files: readonly HubFile[], repo: string): HubChoice | undefined {
  const paths = files.map(({ path }) => path);
  if (!isDiffusersFolder(paths)) return undefined;
  try {
    const wanted = new Set(filesOfFolder(paths, repo));
    const chosen = files.filter(({ path }) => wanted.has(path));
    return { path: "", files: chosen, bytes: chosen.reduce((total, { size }) => total + size, 0) };
  } catch {
    // A folder that cannot be imported (pickles only) is not offered.
    return undefined;
  }
}
