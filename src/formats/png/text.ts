/**
 * Text inside PNG files: keyword and text in tEXt (Latin-1), zTXt (compressed Latin-1) and iTXt (UTF-8) chunks.
 * Web UIs keep generation settings under the keyword `parameters`.
 */
import { fromBytes, type ByteSource } from "../safetensors/source";
import { encodeChunk, pngChunks, type PngChunk } from "./chunks";

/** Longest text that is read, after decompression; a prompt has a few thousand characters. */
const MAX_TEXT_BYTES = 1 << 20;
/** Texts read per file. */
const MAX_TEXTS = 64;

/**
 * All texts of an image by keyword; the first of a keyword counts. Texts that are damaged, oversized or too many
 * are left out.
 * @throws PngError when the file is no complete PNG.
 */
export async function readPngTexts(source: ByteSource): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const chunk of pngChunks(source)) {
    const decode = DECODERS.get(chunk.type);
    if (!decode || chunk.length > MAX_TEXT_BYTES || texts.size >= MAX_TEXTS) continue;
    const entry = await decodeChunk(source, chunk, decode);
    if (entry && !texts.has(entry[0])) texts.set(...entry);
  }
  return texts;
}

type Entry = [keyword: string, text: string];
type Decoder = (keyword: string, rest: Uint8Array<ArrayBuffer>) => Promise<string | null>;

async function decodeChunk(source: ByteSource, chunk: PngChunk, decode: Decoder): Promise<Entry | null> {
  const data = await source.read(chunk.offset, chunk.length);
  const end = data.indexOf(0);
  if (end < 1 || end > 79) return null;
  const keyword = latin1(data.subarray(0, end));
  const text = await decode(keyword, data.slice(end + 1));
  return text === null ? null : [keyword, text];
}

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ["tEXt", (_, rest) => Promise.resolve(latin1(rest))],
  ["zTXt", async (_, rest) => (rest[0] === 0 ? mapped(await inflate(rest.slice(1)), latin1) : null)],
  ["iTXt", (_, rest) => decodeInternational(rest)],
]);

/** Compression flag, method, language, translated keyword, text. */
async function decodeInternational(rest: Uint8Array<ArrayBuffer>): Promise<string | null> {
  const language = rest.indexOf(0, 2);
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
  if (translated < 0) return null;
  const body = rest.slice(translated + 1);
  if (rest[0] === 0) return utf8(body);
  return rest[1] === 0 ? mapped(await inflate(body), utf8) : null;
}

function mapped<T>(value: Uint8Array | null, map: (bytes: Uint8Array) => T): T | null {
  return value === null ? null : map(value);
}

/** Character codes equal bytes (a TextDecoder would read Windows-1252). */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** zlib data, or null when it is damaged or grows beyond the limit. */
async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  const out = new Uint8Array(MAX_TEXT_BYTES);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return out.subarray(0, length);
      if (length + value.byteLength > MAX_TEXT_BYTES) return null;
      out.set(value, length);
      length += value.byteLength;
    }
  } catch {
    return null;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * The image with a text added before its pixels: tEXt when the text is Latin-1, else iTXt.
 * @param keyword 1 to 79 ASCII characters.
 * @throws PngError when `png` is no complete PNG.
 */
export async function withPngText(
  png: Uint8Array,
  keyword: string,
  text: string,
  name = "image",
): Promise<Uint8Array<ArrayBuffer>> {
  let insertAt = 0;
  for await (const chunk of pngChunks(fromBytes(png, name))) {
    if (chunk.type === "IHDR") insertAt = chunk.offset + chunk.length + 4;
  }
  const chunk = textChunk(keyword, text);
  const out = new Uint8Array(png.byteLength + chunk.byteLength);
  out.set(png.subarray(0, insertAt));
  out.set(chunk, insertAt);
  out.set(png.subarray(insertAt), insertAt + chunk.byteLength);
  return out;
}

/** A NUL would end the text early, so it is left out. */
function textChunk(keyword: string, text: string): Uint8Array<ArrayBuffer> {
  const clean = text.replaceAll("\0", "");
  if (/^[\u0001-\u00ff]*$/.test(clean)) return encodeChunk("tEXt", latin1Bytes(`${keyword}\0${clean}`));
  return encodeChunk("iTXt", new TextEncoder().encode(`${keyword}\0\0\0\0\0${clean}`));
}

function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
