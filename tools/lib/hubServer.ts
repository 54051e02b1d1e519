/**
 * Stands in for the model hub in tests: the same addresses, redirects, ranges and headers, on this machine, with the
 * faults that a network has when a test asks for them.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** `hold`: no answer, until the one who asks gives up. */
export type Fault = "disconnect" | "expired" | "busy" | "broken" | "corrupt" | "whole" | "hold";

export interface StandIn {
  /** `http://127.0.0.1:port`. */
  readonly base: string;
  /** Asks this server where code asks the hub. */
  readonly fetch: typeof fetch;
  /** Bytes of file content that were sent. */
  sent: number;
  /** Requests for file content so far. */
  requests: number;
  close(): Promise<void>;
}

export interface HubContents {
  readonly repo: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly gated?: boolean;
  /** A token that opens a gated repository. */
  readonly token?: string;
  /** What goes wrong with the n-th request for file content. */
  readonly fault?: (n: number) => Fault | undefined;
}

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const HUB = "https://huggingface.co";

export async function startHub(contents: HubContents): Promise<StandIn> {
  const server = createServer((request, response) => answer(request, response, contents, standIn));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const standIn: StandIn = {
    base,
    sent: 0,
    requests: 0,
    fetch: (input, init) => fetch(String(input).replace(HUB, base), init),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return standIn;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  contents: HubContents,
  standIn: StandIn,
): void {
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://hub").pathname);
  response.setHeader("Access-Control-Allow-Origin", "*");
  response.setHeader("Access-Control-Allow-Headers", "Authorization, Range");
  response.setHeader("Access-Control-Expose-Headers", "Content-Range, ETag, X-Linked-Etag, X-Linked-Size");
  if (request.method === "OPTIONS") return void response.writeHead(204).end();
  const allowed = !contents.gated || request.headers.authorization === `Bearer ${contents.token}`;
  if (path.startsWith("/cdn/"))
    return sendFile(request, response, path.slice("/cdn/".length), contents, standIn);
  if (!allowed)
    return void response.writeHead(contents.gated && request.headers.authorization ? 403 : 401).end();
  if (path.startsWith(`/api/models/${contents.repo}/revision/`)) return list(response, contents);
  const inside = path.replace(`/${contents.repo}/resolve/${COMMIT}/`, "");
  const bytes = contents.files.get(inside);
  if (!bytes) return void response.writeHead(404).end();
  response.setHeader("X-Linked-Size", bytes.byteLength);
  response.setHeader("X-Linked-Etag", `"${sha256(bytes)}"`);
  response.writeHead(302, { Location: `/cdn/${encodeURIComponent(inside)}?signature=1` }).end();
}

function list(response: ServerResponse, { repo, files, gated = false }: HubContents): void {
  const siblings = [...files].map(([rfilename, bytes]) => ({
    rfilename,
    size: bytes.byteLength,
    lfs: { sha256: sha256(bytes), size: bytes.byteLength },
  }));
  const body = { id: repo, sha: COMMIT, gated: gated && "auto", cardData: { license: "openrail" }, siblings };
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  { files, fault }: HubContents,
  standIn: StandIn,
): void {
  const bytes = files.get(path) ?? new Uint8Array();
  const wrong = fault?.(++standIn.requests);
  const [, first = "0", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  const part = Buffer.from(bytes.subarray(Number(first), Number(last) + 1));
  if (wrong === "hold") return;
  if (wrong === "expired") return void response.writeHead(403).end();
  if (wrong === "busy") return void response.writeHead(429, { "Retry-After": "0" }).end();
  if (wrong === "broken") return void response.writeHead(500).end();
  if (wrong === "whole") return void response.writeHead(200).end(bytes);
  if (wrong === "corrupt") part[0] = (part[0] ?? 0) ^ 1;
  response.writeHead(206, {
    "Content-Range": `bytes ${first}-${Number(first) + part.byteLength - 1}/${bytes.byteLength}`,
    "Content-Length": part.byteLength,
    ETag: `"${sha256(bytes)}"`,
  });
  if (wrong === "disconnect") {
    const half = part.subarray(0, part.byteLength / 2);
    standIn.sent += half.byteLength;
    return void response.write(half, () => response.destroy());
  }
  standIn.sent += part.byteLength;
  response.end(part);
}

const hashes = new WeakMap<Uint8Array, string>();

/** Every answer names it: computed once for each file. */
function sha256(bytes: Uint8Array): string {
  const known = hashes.get(bytes) ?? createHash("sha256").update(bytes).digest("hex");
  hashes.set(bytes, known);
  return known;
}
