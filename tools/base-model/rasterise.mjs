// node rasterise.mjs OUT: writes OUT/drawings.bin, u8 [concept, style, 128, 128, RGBA], and OUT/drawings.json;
// for evaluate.py also the sample datasets, OUT/ID.bin, u8 [image, 128, 128, RGB].
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { loadSets, render, SIZE, STYLES } from "./drawings.mjs";

const out = process.argv[2] ?? "../../.cache/base-model";
mkdirSync(out, { recursive: true });
const { sets, names } = loadSets();
const styles = Object.keys(STYLES);
const bin = createWriteStream(join(out, "drawings.bin"));

for (const name of names) {
  for (const style of styles) bin.write(await render(sets[style], name).raw().toBuffer());
}
await new Promise((done) => bin.end(done));
writeFileSync(join(out, "drawings.json"), JSON.stringify({ names, styles, size: SIZE }));
console.log(`${names.length} concepts x ${styles.length} styles`);

const samples = new URL("../../public/samples/", import.meta.url);
for (const { id, images } of JSON.parse(readFileSync(new URL("index.json", samples), "utf8"))) {
  const shrink = ({ file }) =>
    sharp(new URL(file, samples).pathname).resize(SIZE, SIZE).removeAlpha().raw().toBuffer();
  writeFileSync(join(out, `${id}.bin`), Buffer.concat(await Promise.all(images.map(shrink))));
}
