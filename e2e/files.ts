/** Files as people have them, good and bad, made when needed. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";

/** What a page with `onerror` would do if a caption ever became HTML. */
export const hostileCaption = `<img src=x onerror="document.title='hacked'"> a "quoted" caption`;

/** A picture of one colour with a lighter square in it. */
export async function picture(file: string, hue: number, size = 64): Promise<void> {
  const square = await sharp({
    create: { width: size / 2, height: size / 2, channels: 3, background: { r: 255, g: hue, b: 255 - hue } },
  })
    .png()
    .toBuffer();
  await sharp({ create: { width: size, height: size, channels: 3, background: { r: hue, g: 80, b: 160 } } })
    .composite([{ input: square }])
    .toFile(file);
}

/** A folder of `count` captioned PNGs. */
export async function pictures(folder: string, count: number): Promise<string> {
  const place = path.join(folder, "pictures");
  mkdirSync(place, { recursive: true });
  for (let index = 0; index < count; index++) {
    await picture(path.join(place, `p${index}.png`), (index * 60) % 256);
    writeFileSync(path.join(place, `p${index}.txt`), `a square number ${index}, boxy`);
  }
  return place;
}

/** A picture of noise: 12 MB that do not compress. */
export async function bigPicture(folder: string): Promise<string> {
  const file = path.join(folder, "noise.png");
  const noise = { type: "gaussian" as const, mean: 128, sigma: 60 };
  await sharp({ create: { width: 2000, height: 2000, channels: 3, background: "#888", noise } }).toFile(file);
  return file;
}

/** The first 33 bytes of a PNG that claims to be 30 000 × 30 000. */
function hugePngHeader(): Buffer {
  const header = Buffer.alloc(33);
  header.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  header.writeUInt32BE(13, 8);
  header.write("IHDR", 12, "latin1");
  header.writeUInt32BE(30_000, 16);
  header.writeUInt32BE(30_000, 20);
  header.set([8, 2, 0, 0, 0], 24);
  return header;
}

/** Two good pictures, one with a hostile caption, among files that must be refused. */
export async function mixedFolder(folder: string): Promise<string> {
  const place = path.join(folder, "mixed");
  mkdirSync(place, { recursive: true });
  await picture(path.join(place, "good.png"), 200);
  await picture(path.join(place, "captioned.jpg"), 90);
  writeFileSync(path.join(place, "captioned.txt"), hostileCaption);
  writeFileSync(path.join(place, "empty.png"), "");
  writeFileSync(path.join(place, "page.png"), "<!doctype html><title>Not found</title><p>404</p>");
  writeFileSync(path.join(place, "huge.png"), hugePngHeader());
  return place;
}
