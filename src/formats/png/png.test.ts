import { deflateSync } from "node:zlib";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { fromBytes } from "../safetensors/source";
import { encodeChunk } from "./chunks";
import { PngError } from "./errors";
import { buildInfotext, parseInfotext, type Infotext } from "./infotext";
import { readPngTexts, withPngText } from "./text";

const picture = async () =>
  new Uint8Array(
    await sharp({ create: { width: 3, height: 2, channels: 3, background: "#a1b2c3" } })
      .png()
      .toBuffer(),
  );
const texts = (png: Uint8Array) => readPngTexts(fromBytes(png, "p.png"));

/** A minimal file around some chunks; pixels are of no interest to the reader. */
function pngOf(...chunks: Uint8Array[]): Uint8Array {
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([
    signature,
    encodeChunk("IHDR", new Uint8Array(13)),
    ...chunks,
    encodeChunk("IEND", new Uint8Array()),
  ]);
}
const latin = (text: string) => Buffer.from(text, "latin1");

describe("PNG texts", () => {
  test.each(["a cat\nSteps: 20", "caf\u00e9", "\u72ac \u{1f600}", ""])(
    "%j written and read; the picture stays valid",
    async (text) => {
      const png = await withPngText(await picture(), "parameters", text);
      expect((await texts(png)).get("parameters")).toBe(text);
      const { data } = await sharp(png).raw().toBuffer({ resolveWithObject: true }); // libpng checks every CRC
      expect([...data.subarray(0, 3)]).toEqual([0xa1, 0xb2, 0xc3]);
    },
  );

  test("Latin-1 text goes into tEXt, other text into iTXt, as the web UI does", async () => {
    expect(latin("tEXtparameters\0")).toEqual(
      Buffer.from((await withPngText(await picture(), "parameters", "\u00e9")).subarray(37, 52)),
    );
    expect(latin("iTXtparameters\0")).toEqual(
      Buffer.from((await withPngText(await picture(), "parameters", "\u72ac")).subarray(37, 52)),
    );
  });

  test("compressed texts", async () => {
    const z = encodeChunk("zTXt", Buffer.concat([latin("a\0\0"), deflateSync(latin("caf\u00e9"))]));
    const i = encodeChunk(
      "iTXt",
      Buffer.concat([latin("b\0\x01\0en\0x\0"), deflateSync(Buffer.from("\u72ac"))]),
    );
    expect(Object.fromEntries(await texts(pngOf(z, i)))).toEqual({ a: "caf\u00e9", b: "\u72ac" });
  });

  test("a text bomb, a damaged text and a nameless text are left out; the first of a name counts", async () => {
    const bomb = encodeChunk(
      "zTXt",
      Buffer.concat([latin("bomb\0\0"), deflateSync(Buffer.alloc(50_000_000))]),
    );
    const damaged = encodeChunk("zTXt", latin("damaged\0\0notzlib"));
    const nameless = encodeChunk("tEXt", latin("\0text"));
    const twice = [encodeChunk("tEXt", latin("k\0one")), encodeChunk("tEXt", latin("k\0two"))];
    expect([...(await texts(pngOf(bomb, damaged, nameless, ...twice)))]).toEqual([["k", "one"]]);
  });

  test("what is no PNG is refused by name", async () => {
    await expect(texts(new Uint8Array(3))).rejects.toMatchObject({
      code: "not-png",
      message: expect.stringContaining("p.png"),
    });
    const png = await picture();
    await expect(texts(png.subarray(0, png.length - 6))).rejects.toBeInstanceOf(PngError);
  });

  test("damaged bytes never crash or hang the reader", async () => {
    const png = await withPngText(await picture(), "parameters", "\u72ac");
    const edit = fc.record({ at: fc.nat(png.length - 1), value: fc.nat(255) });
    const property = fc.asyncProperty(
      fc.array(edit, { maxLength: 4 }),
      fc.nat(png.length),
      async (edits, keep) => {
        const bytes = png.slice(0, keep);
        for (const { at, value } of edits) if (at < keep) bytes[at] = value;
        const error = await texts(bytes).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error === null || error instanceof PngError).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });
});

const TEXT = `a cat, (best:1.2)
on a mat
Negative prompt: blurry,
low quality
Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x768, Lora hashes: "a: 0123456789ab, b: 00", Version: v1.10.1`;

describe("infotext", () => {
  const info: Infotext = {
    prompt: "a cat, (best:1.2)\non a mat",
    negativePrompt: "blurry,\nlow quality",
    fields: new Map([
      ["Steps", "20"],
      ["Sampler", "DPM++ 2M"],
      ["Schedule type", "Karras"],
      ["CFG scale", "7"],
      ["Seed", "1"],
      ["Size", "512x768"],
      ["Lora hashes", "a: 0123456789ab, b: 00"],
      ["Version", "v1.10.1"],
    ]),
  };

  test("built as the web UI writes it, parsed back", () => {
    expect(buildInfotext(info)).toBe(TEXT);
    expect(parseInfotext(TEXT)).toEqual(info);
  });

  test("without negative prompt and without fields", () => {
    expect(buildInfotext({ ...info, negativePrompt: "" })).not.toContain("Negative");
    expect(parseInfotext("just a prompt, with: two, colons: here")).toEqual({
      prompt: "just a prompt, with: two, colons: here",
      negativePrompt: "",
      fields: new Map(),
    });
  });

  test("fields named like prototype members stay data", () => {
    const { fields } = parseInfotext("x\n__proto__: 1, constructor: 2, Steps: 3");
    expect([...fields.keys()]).toEqual(["__proto__", "constructor", "Steps"]);
  });

  test("values with commas, colons, quotes and line breaks come back", () => {
    const value = fc
      .string({ minLength: 1 })
      .filter((text) => text.trim() === text && !/^".*"$/.test(text) && !text.includes("\r"));
    const property = fc.property(value, (text) => {
      const fields = new Map([...info.fields, ["Hires prompt", text]]);
      fc.pre(text !== "Hires prompt");
      const parsed = parseInfotext(buildInfotext({ ...info, fields }));
      expect(parsed.fields.get("Hires prompt")).toBe(text);
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("long hostile text stays fast", () => {
    const began = performance.now();
    for (const part of ["a", "a ", '"', "a:", "\\"]) parseInfotext(part.repeat(100_000));
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
