import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TensorFileError } from "./errors";
import { readSafetensorsHeader } from "./header";
import { fromBlob, fromBytes, type ByteSource } from "./source";
import { writeSafetensors } from "./write";

/** A file with any header text and any number of data bytes. */
function file(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.byteLength), true);
  bytes.set(text, 8);
  return bytes;
}

async function codeOf(bytes: Uint8Array): Promise<string> {
  try {
    await readSafetensorsHeader(fromBytes(bytes, "x.safetensors"));
    return "ok";
  } catch (error) {
    if (error instanceof TensorFileError) return error.code;
    throw error;
  }
}

const A = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';

describe("valid headers", () => {
  test("names, types, shapes and absolute ranges, in file order", async () => {
    const text = `{"__metadata__":{"k":"v"},"b":{"dtype":"F16","shape":[3],"data_offsets":[8,14]},${A}}`;
    const header = await readSafetensorsHeader(fromBytes(file(text, 14), "x"));
    expect([...header.tensors.keys()]).toEqual(["a", "b"]);
    expect(header.tensors.get("b")).toEqual({
      name: "b",
      dtype: "F16",
      shape: [3],
      begin: 8 + text.length + 8,
      end: 8 + text.length + 14,
    });
    expect(header.metadata.get("k")).toBe("v");
  });

  test("scalars, empty tensors and odd offsets are legal", async () => {
    const text =
      '{"e":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]},"u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
      '"s":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}';
    const header = await readSafetensorsHeader(fromBytes(file(text, 5), "x"));
    expect([...header.tensors.keys()].sort()).toEqual(["e", "s", "u"]);
  });

  test("a Blob gives the same as bytes", async () => {
    const bytes = file(`{${A}}`, 8);
    const header = await readSafetensorsHeader(fromBlob(new Blob([new Uint8Array(bytes)]), "x"));
    expect(header.tensors.get("a")?.shape).toEqual([2]);
  });

  test("keys that name prototype members stay ordinary keys", async () => {
    const text =
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"__proto__":"x"}}';
    const header = await readSafetensorsHeader(fromBytes(file(text, 1), "x"));
    expect(header.tensors.has("__proto__")).toBe(true);
    expect(header.metadata.get("__proto__")).toBe("x");
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe("every way a file can lie", () => {
  const info = (text: string) => `{"a":${text}}`;
  const cases: [name: string, bytes: Uint8Array, code: string][] = [
    ["seven bytes", new Uint8Array(7), "too-short"],
    ["header longer than the file", file("{}", 0, 1000n), "header-length"],
    ["header length 2^63", file("{}", 0, (1n << 63n) - 1n), "header-length"],
    ["header over 100 MB", file("{}", 0, 100_000_001n), "header-length"],
    ["empty header", file(""), "header-json"],
    ["not UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), "header-encoding"],
    ["not JSON", file("{nonsense}"), "header-json"],
    ["text after the end", file(`{${A}} x`, 8), "header-json"],
    ["deeply nested", file(`{"a":${"[".repeat(100_000)}`), "header-json"],
    ["half a surrogate pair", file('{"\\ud800":1}'), "header-json"],
    ["a list", file("[1]"), "header-type"],
    ["leading space", file(` {${A}}`, 8), "header-json"],
    ["no tensors", file("{}"), "no-tensors"],
    ["only metadata", file('{"__metadata__":{"a":"b"}}'), "no-tensors"],
    ["metadata that is no text", file(`{"__metadata__":{"a":1},${A}}`, 8), "header-type"],
    ["tensor that is no object", file('{"a":3}'), "header-type"],
    ["no dtype", file(info('{"shape":[2],"data_offsets":[0,8]}'), 8), "header-type"],
    ["unknown dtype", file(info('{"dtype":"F12","shape":[2],"data_offsets":[0,8]}'), 8), "dtype"],
    ["dtype of a prototype", file(info('{"dtype":"toString","shape":[2],"data_offsets":[0,8]}'), 8), "dtype"],
    ["text as dimension", file(info('{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}'), 8), "header-type"],
    ["negative dimension", file(info('{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}'), 8), "shape"],
    ["decimal dimension", file(info('{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}'), 8), "shape"],
    [
      "overflowing shape",
      file(info('{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}')),
      "shape",
    ],
    ["shape that does not fit", file(info('{"dtype":"F32","shape":[3],"data_offsets":[0,8]}'), 8), "shape"],
    ["three offsets", file(info('{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}'), 8), "header-type"],
    ["reversed offsets", file(info('{"dtype":"F32","shape":[2],"data_offsets":[8,0]}'), 8), "offsets"],
    ["negative offset", file(info('{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}'), 8), "offsets"],
    [
      "offset beyond 2^53",
      file(info('{"dtype":"F32","shape":[2],"data_offsets":[9007199254740992,9007199254741000]}'), 8),
      "offsets",
    ],
    ["hole at the start", file(info('{"dtype":"F32","shape":[2],"data_offsets":[8,16]}'), 16), "offsets"],
    ["overlap", file(`{${A},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), "offsets"],
    ["hole", file(`{${A},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}`, 20), "offsets"],
    [
      "duplicate key",
      file(`{${A},"\\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16),
      "duplicate-key",
    ],
    ["truncated", file(`{${A}}`, 7), "truncated"],
    ["trailing data", file(`{${A}}`, 9), "trailing-data"],
    ["a pickle", new Uint8Array([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9]), "not-safetensors"],
    ["a web page", new TextEncoder().encode("<!DOCTYPE html><html></html>"), "not-safetensors"],
    ["a zip", new Uint8Array([0x50, 0x4b, 3, 4, 0x14, 0, 0, 0, 8, 0]), "not-safetensors"],
  ];
  test.each(cases)("%s", async (_, bytes, code) => {
    expect(await codeOf(bytes)).toBe(code);
  });

  test("the message names the file and the hint says what to do", async () => {
    const pickle = fromBytes(new Uint8Array([0x80, 2, 0x7d, 0x71, 0, 0x28, 0x58, 0x10, 0, 0]), "model.ckpt");
    await expect(readSafetensorsHeader(pickle)).rejects.toMatchObject({
      message: expect.stringMatching(/"model\.ckpt".*pickle/),
      hint: expect.stringMatching(/runs code.*\.safetensors/),
    });
  });
});

/** Counts what is asked of a source, so that "bounded" can be checked. */
function counting(bytes: Uint8Array): ByteSource & { asked: number } {
  const inner = fromBytes(bytes, "fuzz");
  const source = {
    ...inner,
    asked: 0,
    read(offset: number, length: number) {
      source.asked += length;
      return inner.read(offset, length);
    },
  };
  return source;
}

/** The bounds of T-F1, as one number of broken promises so that a run of thousands stays cheap. */
async function survives(bytes: Uint8Array): Promise<void> {
  const source = counting(bytes);
  const began = performance.now();
  let total = 0;
  let error: unknown = null;
  try {
    const { tensors } = await readSafetensorsHeader(source);
    for (const { begin, end } of tensors.values()) total += end - begin;
  } catch (thrown) {
    error = thrown;
  }
  const broken = [
    error !== null && !(error instanceof TensorFileError) ? String(error) : "",
    total > bytes.byteLength ? "claims more than the file has" : "",
    source.asked > bytes.byteLength + 256 ? "reads more than the file has" : "",
    performance.now() - began > 2000 ? "hangs" : "",
  ];
  expect(broken.join("")).toBe("");
}

describe("T-F1: hostile bytes never crash, hang or allocate more than the file", () => {
  const good = writeSafetensors(
    [
      { name: "a", dtype: "F32", shape: [4], bytes: new Uint8Array(16) },
      { name: "b.c", dtype: "F16", shape: [2, 2], bytes: new Uint8Array(8) },
      { name: "\u00e9\n", dtype: "I64", shape: [], bytes: new Uint8Array(8) },
    ],
    new Map([["key", "value"]]),
  );

  test("random bytes", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 2000 });
  });

  test("one good file with bytes changed, cut or repeated", async () => {
    const edit = fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255) });
    const property = fc.asyncProperty(
      fc.array(edit, { maxLength: 4 }),
      fc.nat(good.length),
      async (edits, keep) => {
        const bytes = good.slice(0, keep);
        for (const { at, value } of edits) if (at < bytes.length) bytes[at] = value;
        await survives(bytes);
      },
    );
    await fc.assert(property, { numRuns: 3000 });
  });

  test("headers of the right form with wrong numbers", async () => {
    const number = fc.oneof(fc.nat(40), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e300));
    const tensor = fc.record({
      dtype: fc.constantFrom("F32", "F16", "BOOL", "F4", "x"),
      shape: fc.array(number, { maxLength: 3 }),
      data_offsets: fc.array(number, { minLength: 1, maxLength: 3 }),
    });
    const property = fc.asyncProperty(fc.dictionary(fc.string(), tensor), fc.nat(80), (header, bytes) =>
      survives(file(JSON.stringify(header), bytes)),
    );
    await fc.assert(property, { numRuns: 2000 });
  });
});
