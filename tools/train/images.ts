/** A folder of pictures and captions for the Node command; a bad file never stops the rest. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { WeftError } from "../../src/base/errors";
import type { TrainingImage } from "../../src/workers/engine/api";

export interface ReadImages {
  readonly images: readonly TrainingImage[];
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

const PICTURE = /\.(png|jpe?g|webp|avif|gif)$/i;
/** Pictures above this are refused before they are decoded. */
const MAX_PIXELS = 120e6;

/** Reads all pictures of a folder in name order, upright and on white; captions from `.txt` files of the same name. */
export async function readTrainingImages(folder: string): Promise<ReadImages> {
  const names = (await listFolder(folder)).filter((name) => PICTURE.test(name)).sort();
  const images: TrainingImage[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const name of names) {
    try {
      images.push(await readImage(folder, name));
    } catch (error) {
      refused.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { images, refused };
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    throw new WeftError("no-folder", `The folder "${folder}" cannot be read.`, "Check the path.");
  }
}

async function readImage(folder: string, name: string): Promise<TrainingImage> {
  const bytes = await readFile(path.join(folder, name));
  if (bytes.length === 0) throw new Error("the file is empty");
  const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS })
    .rotate()
    .flatten({ background: "#fff" })
    .toColourspace("srgb")
    .ensureAlpha();
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return {
    id: name,
    pixels: new Uint8ClampedArray(data),
    width: info.width,
    height: info.height,
    caption: await readCaption(folder, name),
    repeats: 1,
  };
}

async function readCaption(folder: string, name: string): Promise<string> {
  try {
    return (await readFile(path.join(folder, name.replace(/\.[^.]+$/, ".txt")), "utf8")).trim();
  } catch {
    return "";
  }
}
