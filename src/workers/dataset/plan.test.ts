import { downloadZip } from "client-zip";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { WeftError } from "../../base/errors";
import { rawZip } from "../../../tools/fixtures/rawZip";
import type { ImportPlan, NamedFile } from "./api";
import { planImport, type Planned } from "./plan";
import { inflate } from "./unzip";

async function zip(files: Record<string, string | Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const entries = Object.entries(files).map(([name, input]) => ({
    name,
    input: typeof input === "string" ? input : new Uint8Array(input),
  }));
  return new Uint8Array(await downloadZip(entries).arrayBuffer());
}

type Plan = Omit<ImportPlan, "pictures"> & Pick<Planned, "pictures">;

async function planned(bytes: Uint8Array<ArrayBuffer>, others: Record<string, string> = {}): Promise<Plan> {
  const files: NamedFile[] = Object.entries({ "a.zip": bytes, ...others }).map(([path, content]) => ({
    path,
    file: new Blob([content]),
  }));
  const { plan, pictures } = await planImport(
    files.map(({ path }) => path),
    files,
  );
  expect(plan.pictures).toBe(pictures.length);
  return { ...plan, pictures };
}

const codes = ({ refused }: Plan): string[] => refused.map(({ code }) => code);
const paths = ({ pictures }: Plan): string[] => pictures.map(({ path }) => path);

describe("T-F3: zips", () => {
  it("are planned like the folders they hold, with metadata and configs inside", async () => {
    const bytes = await zip({
      "set/10_ink/p10.png": "x",
      "set/10_ink/p2.png": "x",
      "set/10_ink/p2.txt": "a cat",
      "set/cats/c.png": "x",
      "set/metadata.jsonl": '{"file_name": "c.png", "text": "from metadata"}',
      "set/dataset.toml":
        '[[datasets]]\n[[datasets.subsets]]\nimage_dir = "/x/cats"\nnum_repeats = 4\nflip_aug = true',
      "__MACOSX/set/._p2.png": "x",
    });
    const plan = await planned(bytes);
    expect(plan.refused).toEqual([]);
    expect(plan.pictures).toMatchObject([
      { path: "set/10_ink/p2.png", captionPaths: ["set/10_ink/p2.txt"], repeats: 10, classTokens: "ink" },
      { path: "set/10_ink/p10.png", captionPaths: [] },
      { path: "set/cats/c.png", repeats: 4, metadataCaption: "from metadata" },
    ]);
    expect(plan.notes.join()).toContain("flip_aug");
  });

  it("names are labels, in every spelling of a way out", async () => {
    const names = [
      "../a.png",
      "..\\b.png",
      "/c.png",
      "C:\\d.png",
      "C:/e.png",
      "x/../../f.png",
      "..../g.png", // a hidden folder: left out like any other
      "%2e%2e/g.png",
      "\\\\server\\share\\h.png",
      "./i.png",
      "x\\..\\..\\j.png",
      "..//..//k.png",
      "l.png\0.exe",
    ];
    const plan = await planned(rawZip(names.map((name) => ({ name, stored: Uint8Array.of(1), method: 0 }))));
    const found = paths(plan);
    expect(found).toHaveLength(12);
    for (const path of found) expect(path).not.toMatch(/(^|\/)\.\.(\/|$)|^\/|\\|:|\0/);
  });

  it("two files of one name are two files", async () => {
    const stored = Uint8Array.of(1);
    const names = ["a.png", "a.png", "../a.png"];
    const plan = await planned(rawZip(names.map((name) => ({ name, stored, method: 0 }))));
    expect(paths(plan)).toEqual(["a (2).png", "a (3).png", "a.png"]);
  });

  it("bombs are refused by what they declare", async () => {
    const zeros = deflateRawSync(Buffer.alloc(8 * 2 ** 20));
    const plan = await planned(
      rawZip([
        { name: "bomb.png", stored: zeros, size: 8 * 2 ** 20 },
        { name: "big.png", stored: zeros, size: 65 * 2 ** 20 },
        { name: "locked.png", stored: zeros, size: 100, flags: 1 },
        { name: "fine.png", stored: Uint8Array.of(1), method: 0 },
      ]),
    );
    expect(codes(plan)).toEqual(["zip-bomb", "too-large", "zip-encrypted"]);
    expect(paths(plan)).toEqual(["fine.png"]);
  });

  it("more than 2 GB together is refused entry by entry", async () => {
    const stored = new Uint8Array(400_000);
    const entries = Array.from({ length: 40 }, (_, i) => ({
      name: `${i}.png`,
      stored,
      size: 63 * 2 ** 20,
      method: 8,
    }));
    const plan = await planned(rawZip(entries));
    expect(plan.pictures.length).toBe(32);
    expect(new Set(codes(plan))).toEqual(new Set(["zip-too-large"]));
  });

  it("a bomb that lies about its size is stopped while it inflates", async () => {
    const stored = deflateRawSync(Buffer.alloc(50 * 2 ** 20));
    const bytes = rawZip([{ name: "liar.png", stored, size: 5000 }]);
    const { entries } = await planImport(["a.zip"], [{ path: "a.zip", file: new Blob([bytes]) }]);
    const entry = entries.get("liar.png");
    await expect(entry && inflate(entry)).rejects.toBeInstanceOf(WeftError);
  });

  it("an archive with too many entries, or none, or none at all is refused in a sentence", async () => {
    const stored = new Uint8Array();
    const many = rawZip(Array.from({ length: 20_001 }, (_, i) => ({ name: `${i}.png`, stored, method: 0 })));
    const begin = performance.now();
    expect(codes(await planned(many))).toEqual(["zip-too-many"]);
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(codes(await planned(rawZip([])))).toEqual(["empty-zip"]);
    expect(codes(await planned(new TextEncoder().encode("PK\u0003\u0004 not really")))).toEqual(["bad-zip"]);
  });

  it("a symbolic link and a zip inside are only what their bytes are", async () => {
    const inner = await zip({ "x.png": "x" });
    const plan = await planned(
      rawZip([
        { name: "link.png", stored: Buffer.from("/etc/passwd"), method: 0, attributes: 0xa1ff0000 },
        { name: "inner.zip", stored: inner, method: 0 },
      ]),
    );
    // Both go on to the picture reader, which refuses them by their first bytes.
    expect(paths(plan)).toEqual(["inner.zip", "link.png"]);
  });

  it("mutated ones throw nothing but words", async () => {
    const bytes = await zip({
      "10_a/a.png": "picture",
      "10_a/a.txt": "caption",
      "b.jsonl": '{"file_name":"a"}',
    });
    let seed = 1;
    const random = (below: number): number =>
      (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) % below;
    for (let round = 0; round < 120; round++) {
      const mutated = bytes.slice(0, random(5) === 0 ? random(bytes.length) : bytes.length);
      for (let change = 0; change <= random(4); change++) mutated[random(bytes.length)] = random(256);
      const { plan, entries } = await planImport(["a.zip"], [{ path: "a.zip", file: new Blob([mutated]) }]);
      for (const { reason } of plan.refused) expect(reason).not.toMatch(/undefined|TypeError/);
      const inflated = await Promise.allSettled([...entries.values()].map(inflate));
      const reasons = inflated.map((result) => (result.status === "rejected" ? result.reason : undefined));
      expect(reasons.filter((reason) => reason !== undefined && !(reason instanceof WeftError))).toEqual([]);
    }
  });
});

describe("metadata and configs in a drop", () => {
  it("that are broken are listed, and the rest goes on", async () => {
    const bytes = await zip({ "a.png": "x" });
    const plan = await planned(bytes, {
      "b.png": "x",
      "meta_cap.json": "{",
      "package.json": '{"name": "weft"}',
      "dataset.toml": "datasets = [",
      "pyproject.toml": 'title = "x"',
    });
    expect(paths(plan)).toEqual(["a.png", "b.png"]);
    expect(plan.refused.map(({ name, code }) => [name, code])).toEqual([
      ["meta_cap.json", "bad-metadata"],
      ["package.json", "bad-metadata"],
      ["dataset.toml", "bad-config"],
      ["pyproject.toml", "not-a-config"],
    ]);
  });
});
