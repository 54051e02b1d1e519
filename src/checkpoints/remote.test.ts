import { afterEach, describe, expect, test } from "vitest";
import { diffusersFiles } from "../../tools/lib/diffusersFolder";
import { startHub, type Fault, type HubContents, type StandIn } from "../../tools/lib/hubServer";
import { tinyConfig, tinyFile, tinyTensors } from "../formats/checkpoint/testing/tinyCheckpoint";
import { isAllowedHost } from "./hosts";
import { openHttpSource } from "./httpSource";
import { choicesOf, fileUrl, listRepo, parseReference } from "./hub";

const config = tinyConfig("sd1");
const bytes = tinyFile(config);
const repo = "someone/tiny-model";
let hub: StandIn | undefined;

afterEach(async () => {
  await hub?.close();
});

async function serve(contents: Partial<HubContents> = {}): Promise<StandIn> {
  hub = await startHub({ repo, files: new Map([["tiny.safetensors", bytes]]), ...contents });
  return hub;
}

async function open(server: StandIn, token?: string) {
  const { commit } = await listRepo(repo, "main", token, server.fetch);
  return openHttpSource(fileUrl(repo, commit, "tiny.safetensors"), {
    name: "tiny.safetensors",
    token,
    fetch: server.fetch,
    wait: () => Promise.resolve(),
  });
}

describe("what an address means", () => {
  test.each([
    ["owner/name", { kind: "hub", repo: "owner/name", revision: "main" }],
    [" owner/name@fp16 ", { kind: "hub", repo: "owner/name", revision: "fp16" }],
    [
      "owner/name/sub/x.safetensors",
      { kind: "hub", repo: "owner/name", revision: "main", path: "sub/x.safetensors" },
    ],
    [
      "owner/name@abc/x.safetensors",
      { kind: "hub", repo: "owner/name", revision: "abc", path: "x.safetensors" },
    ],
    ["https://huggingface.co/owner/name", { kind: "hub", repo: "owner/name", revision: "main" }],
    ["https://huggingface.co/owner/name/tree/fp16", { kind: "hub", repo: "owner/name", revision: "fp16" }],
    [
      "https://huggingface.co/owner/name/blob/main/a%20b.safetensors",
      { kind: "hub", repo: "owner/name", revision: "main", path: "a b.safetensors" },
    ],
    [
      "https://huggingface.co/owner/name/resolve/main/x.safetensors?download=true",
      { kind: "hub", repo: "owner/name", revision: "main", path: "x.safetensors" },
    ],
    ["https://example.org/x.safetensors", { kind: "url", url: "https://example.org/x.safetensors" }],
  ])("%s", (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  test.each(["", "name", "a b/c d", "ftp://x/y", "http://example.org/x", "https://huggingface.co/owner"])(
    "%s is refused",
    (text) => {
      expect(() => parseReference(text)).toThrow(/address|https/);
    },
  );

  test("T-P4: only this site and the hub may be asked", () => {
    const own = "https://weft.example";
    const allowed = (url: string) => isAllowedHost(new URL(url), own);
    expect(
      ["https://huggingface.co/x", "https://cas-bridge.xethub.hf.co/x", `${own}/x`].map(allowed),
    ).toEqual([true, true, true]);
    expect(
      ["https://example.org/", "https://evilhf.co/", "https://hf.co.example/", "http://cdn.hf.co/"].map(
        allowed,
      ),
    ).toEqual([false, false, false, false]);
  });
});

describe("a repository", () => {
  test("offers single files and the folder, pinned to a commit, without shards and parts", async () => {
    const folder = diffusersFiles(config, tinyTensors(config), { shards: 2, variant: ".fp16" });
    const files = new Map([
      ...folder.map((file) => [file.path, file.bytes] as const),
      ["tiny.safetensors", bytes] as const,
    ]);
    const server = await serve({ files: files.set("README.md", new Uint8Array(10)) });
    const listed = await listRepo(repo, "main", undefined, server.fetch);
    expect(listed).toMatchObject({
      license: "openrail",
      isGated: false,
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    const choices = choicesOf(listed);
    expect(choices.map(({ path }) => path)).toEqual(["tiny.safetensors", ""]);
    const weights = choices[1]?.files.filter(({ path }) => path.endsWith(".safetensors"));
    expect(weights?.map(({ path }) => path).sort()).toEqual(
      folder
        .map(({ path }) => path)
        .filter((path) => path.endsWith(".safetensors"))
        .sort(),
    );
  });

  test.each<[string, Partial<HubContents>, string | undefined, string, RegExp]>([
    ["without a token", { gated: true, token: "hf_good" }, undefined, "gated", /without signing in/],
    ["with a wrong token", { gated: true, token: "hf_good" }, "hf_bad", "gated", /with this token \(403\)/],
    ["another repository", { repo: "someone/else" }, undefined, "not-found", /has no "someone\/tiny-model"/],
  ])("%s", async (_, contents, token, code, message) => {
    const server = await serve(contents);
    await expect(listRepo(repo, "main", token, server.fetch)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/./),
    });
  });

  test("a site that cannot be reached, or does not let us, is told as both", async () => {
    const failing = () => Promise.reject(new TypeError("Failed to fetch"));
    await expect(listRepo(repo, "main", undefined, failing)).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringMatching(/CORS.*offline/),
    });
  });

  test("a gated file comes with the right token", async () => {
    const server = await serve({ gated: true, token: "hf_good" });
    expect((await open(server, "hf_good")).size).toBe(bytes.byteLength);
  });
});

describe("T-S6: a file by ranges", () => {
  const readAll = async (server: StandIn, part: number) => {
    const source = await open(server);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < source.size; at += part)
      parts.push(await source.read(at, Math.min(part, source.size - at)));
    return Buffer.concat(parts);
  };

  test("disconnects, signatures that run out, a busy and a broken server: all bytes, hardly any twice", async () => {
    const faults: Fault[] = ["disconnect", "expired", "busy", "broken"];
    let seen = 0;
    const server = await serve({
      // Every third request fails, each in another way.
      fault: (n) => (n > 1 && n % 3 === 0 ? faults[seen++ % faults.length] : undefined),
    });
    const part = Math.ceil(bytes.byteLength / 200);
    const all = await readAll(server, part);
    expect(all.equals(Buffer.from(bytes))).toBe(true);
    expect(seen).toBeGreaterThan(90);
    // Each disconnect costs half a part, nothing else is sent twice.
    expect(server.sent - bytes.byteLength).toBeLessThan((seen * part) / 4);
  });

  test.each<[Fault, string]>([
    ["whole", "no-ranges"],
    ["expired", "gated"],
    ["broken", "server-error"],
    ["busy", "too-many-requests"],
  ])("a server that always answers %s is told as %s", async (fault, code) => {
    const server = await serve({ fault: () => fault });
    await expect(open(server)).rejects.toMatchObject({ code, hint: expect.stringMatching(/./) });
  });

  test("a connection that stays down is told after five tries", async () => {
    const server = await serve({ fault: (n) => (n > 1 ? "disconnect" : undefined) });
    await expect(readAll(server, 1000)).rejects.toMatchObject({ code: "connection-lost" });
    expect(server.requests).toBe(6);
  });

  test("a file that changed on the server is noticed", async () => {
    const files = new Map([["tiny.safetensors", bytes]]);
    const server = await serve({ files });
    const source = await open(server);
    files.set("tiny.safetensors", bytes.slice(0, -8));
    await expect(source.read(0, 100)).rejects.toMatchObject({ code: "changed-on-server" });
  });

  test("a stop is heeded", async () => {
    const server = await serve();
    const control = new AbortController();
    const { commit } = await listRepo(repo, "main", undefined, server.fetch);
    const source = await openHttpSource(fileUrl(repo, commit, "tiny.safetensors"), {
      name: "x",
      fetch: server.fetch,
      signal: control.signal,
      wait: () => Promise.resolve(),
    });
    control.abort(new Error("stopped"));
    await expect(source.read(0, 100)).rejects.toThrow("stopped");
  });
});
