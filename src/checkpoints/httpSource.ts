/**
 * A file on a server, read by ranges. Every part asks the original address again, so that a signed address that ran
 * out is renewed by the redirect. Only `Range` and, where given, `Authorization` are sent.
 */
import { WeftError } from "../base/errors";
import { whole, type ByteSource } from "../formats/safetensors/source";
import { noRanges, refusedByServer, unreachable, type Asked } from "./httpErrors";

export interface HttpOptions {
  /** For messages. */
  readonly name: string;
  readonly token?: string | undefined;
  /** Bytes, where known beforehand. */
  readonly size?: number | undefined;
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal | undefined;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** Tries per part; between them 0.5, 1, 2, 4 seconds. */
const ATTEMPTS = 5;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;

/** A source that knows what the server calls this version of the file. */
export interface HttpSource extends ByteSource {
  readonly etag: string | undefined;
}

interface Part {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly total: number | undefined;
  readonly etag: string | undefined;
}

/**
 * Asks for the first bytes, which tells size and version.
 * @throws WeftError `gated`, `not-found`, `too-many-requests`, `server-error`, `unreachable`, `no-ranges`
 */
export async function openHttpSource(url: string, options: HttpOptions): Promise<HttpSource> {
  const first = await readPart(url, 0, 1, options, undefined);
  const size = options.size ?? first.total;
  if (size === undefined) throw noRanges(askedFor(url, options));
  return {
    name: options.name,
    size,
    etag: first.etag,
    async read(offset, length) {
      if (length === 0) return new Uint8Array();
      const { bytes, total, etag } = await readPart(url, offset, length, options, first);
      // Weak validators may differ between the machines of one site.
      const changed =
        (total !== undefined && total !== size) ||
        (etag !== undefined && first.etag !== undefined && !etag.startsWith("W/") && etag !== first.etag);
      if (changed)
        throw new WeftError(
          "changed-on-server",
          `"${options.name}" changed on the server while it was being read.`,
          "Start the import again.",
        );
      return whole(bytes, length, options.name);
    },
  };
}

async function readPart(
  url: string,
  offset: number,
  length: number,
  options: HttpOptions,
  first: Part | undefined,
): Promise<Part> {
  for (let attempt = 1; ; attempt++) {
    const answer = await tryPart(url, offset, length, options, first);
    if ("bytes" in answer) return answer;
    if (attempt === ATTEMPTS || !answer.again) throw answer.error;
    await options.wait(Math.min(LONGEST_WAIT, answer.after ?? FIRST_WAIT * 2 ** (attempt - 1)));
    options.signal?.throwIfAborted();
  }
}

interface Failure {
  readonly error: WeftError;
  readonly again: boolean;
  /** Milliseconds the server asks to wait. */
  readonly after?: number | undefined;
}

async function tryPart(
  url: string,
  offset: number,
  length: number,
  options: HttpOptions,
  first: Part | undefined,
): Promise<Part | Failure> {
  const asked = askedFor(url, options);
  // Called as a method of `options` the browser's own fetch refuses to work.
  const ask = options.fetch;
  const headers: Record<string, string> = { Range: `bytes=${offset}-${offset + length - 1}` };
  if (options.token !== undefined) headers["Authorization"] = `Bearer ${options.token}`;
  try {
    const response = await ask(url, {
      headers,
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: options.signal ?? null,
    });
    if (response.status === 206) return await partOf(response, offset);
    await response.body?.cancel();
    if (response.status === 200) return { error: noRanges(asked), again: false };
    // A signature that ran out is renewed by asking again; a licence gate is not.
    const expired = first !== undefined && [400, 403].includes(response.status);
    const busy = response.status === 429 || response.status >= 500;
    const after = Number(response.headers.get("Retry-After")) * 1000 || undefined;
    return { error: refusedByServer(response.status, asked), again: expired || busy, after };
  } catch (reason) {
    options.signal?.throwIfAborted();
    if (reason instanceof WeftError) throw reason;
    return { error: unreachable(asked, first !== undefined), again: first !== undefined };
  }
}

async function partOf(response: Response, offset: number): Promise<Part> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Content-Range is readable across origins only where the server exposes it.
  const [, begin, total] =
    /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("Content-Range") ?? "") ?? [];
  if (begin !== undefined && Number(begin) !== offset) throw new TypeError("another range than asked for");
  return {
    bytes,
    total: total === undefined || total === "*" ? undefined : Number(total),
    etag: response.headers.get("X-Linked-Etag") ?? response.headers.get("ETag") ?? undefined,
  };
}

function askedFor(url: string, { name, token }: HttpOptions): Asked {
  return { what: name, host: new URL(url).host, withToken: token !== undefined };
}
