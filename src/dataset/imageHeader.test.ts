import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { WeftError } from "../base/errors";
import { readImageHeader } from "./imageHeader";

function bytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(data);
}

function codeOf(data: Uint8Array, size = data.length): string {
  try {
    readImageHeader(bytes(data), size);
  } catch (error) {
    if (error instanceof WeftError) return error.code;
    throw error;
  }
  return "accepted";
}

const plain = sharp({
  create: { width: 37, height: 21, channels: 4, background: { r: 9, g: 200, b: 90, alpha: 0.5 } },
});

test.each(["png", "jpeg", "webp", "gif", "avif"] as const)("T-F4: kind and size of a %s", async (format) => {
  const data = await plain.clone().toFormat(format).toBuffer();
  expect(readImageHeader(bytes(data), data.length)).toEqual({ format, width: 37, height: 21 });
});

test("lossless WebP has its own header", async () => {
  const data = await plain.clone().webp({ lossless: true }).toBuffer();
  expect(readImageHeader(bytes(data), data.length)).toMatchObject({ format: "webp", width: 37, height: 21 });
});

test("T-F4: bombs, pages and empty files are refused by their first bytes", async () => {
  const png = await plain.clone().png().toBuffer();
  png.writeUInt32BE(30_000, 16);
  png.writeUInt32BE(30_000, 20);
  expect(codeOf(png)).toBe("too-many-pixels");
  expect(codeOf(new TextEncoder().encode("<!doctype html><p>404"))).toBe("not-a-picture");
  expect(codeOf(new Uint8Array())).toBe("empty");
  expect(codeOf(png.subarray(0, 12))).toBe("damaged");
  expect(codeOf(png, 65 * 1024 ** 2)).toBe("too-large");
});

test("T-F4: no bytes make it throw anything but a WeftError", () => {
  const starts = ["\x89PNG", "\xff\xd8\xff", "GIF8", "RIFFxxxxWEBP", "BM", ""].map((start) =>
    Buffer.from(start, "latin1"),
  );
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 64 }), (start, rest) => {
      const data = Buffer.concat([start, rest]);
      expect(typeof codeOf(data)).toBe("string");
    }),
  );
});

test("T-F4: an AVIF bomb is refused by its declared size, and no pixels are no picture", async () => {
  const avif = await plain.clone().avif().toBuffer();
  avif.writeUInt32BE(30_000, avif.indexOf("ispe") + 8);
  avif.writeUInt32BE(30_000, avif.indexOf("ispe") + 12);
  expect(codeOf(avif)).toBe("too-many-pixels");
  const png = await plain.clone().png().toBuffer();
  png.writeUInt32BE(0, 16);
  expect(codeOf(png)).toBe("damaged");
});
