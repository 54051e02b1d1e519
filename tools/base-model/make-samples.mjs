// node make-samples.mjs [OUT]: the two sample datasets of public/samples and a contact sheet of each for the docs.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { loadSets, render } from "./drawings.mjs";
import { blueprint, pixelArt } from "./looks.mjs";

const SIZE = 256;
const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const CONCEPTS =
  `alarm-clock anchor automobile avocado balloon bear bell bicycle birthday-cake butterfly cactus
camera cat-face cherries crab crown dolphin duck elephant evergreen-tree gem-stone ghost grinning-face guitar
hamburger high-heeled-shoe hot-beverage house-with-garden key light-bulb mushroom octopus penguin pizza
red-heart rocket sailboat snowman tulip umbrella`.split(/\s+/);

const DATASETS = [
  {
    id: "blueprint",
    title: "Blueprint",
    description: "White contour lines on deep blue: 40 drawings.",
    trigger: "blueprint style",
    draw: (set, name) => blueprint(render(set, name, 2 * SIZE), SIZE),
  },
  {
    id: "pixel-art",
    title: "Pixel art",
    description: "A mosaic of 16 by 16 tiles in sixteen colours: 40 drawings.",
    trigger: "pixel art style",
    draw: (set, name) => pixelArt(render(set, name, SIZE), SIZE),
  },
];
const LICENSE = "MIT, made from Fluent Emoji Flat © Microsoft Corporation (licenses/fluent-emoji.txt)";

async function contactSheet(pictures, path) {
  const side = 96;
  const columns = 10;
  const tiles = await Promise.all(pictures.map((png) => sharp(png).resize(side, side).toBuffer()));
  const composite = tiles.map((input, n) => ({
    input,
    left: (n % columns) * side,
    top: Math.floor(n / columns) * side,
  }));
  const height = Math.ceil(tiles.length / columns) * side;
  const canvas = sharp({ create: { width: columns * side, height, channels: 3, background: "white" } });
  await canvas.composite(composite).png({ palette: true }).toFile(path);
}

/** Writes NAME.png and NAME.txt for each concept; answers the entry of samples/index.json. */
async function makeDataset(set, { id, draw, ...about }, out) {
  mkdirSync(join(out, id), { recursive: true });
  const images = [];
  const pictures = [];
  for (const name of CONCEPTS) {
    const caption = `a ${name.replaceAll("-", " ")}, ${about.trigger}`;
    const png = await (await draw(set, name)).png({ palette: true, compressionLevel: 9 }).toBuffer();
    writeFileSync(join(out, id, `${name}.png`), png);
    writeFileSync(join(out, id, `${name}.txt`), `${caption}\n`);
    images.push({ file: `${id}/${name}.png`, caption });
    pictures.push(png);
  }
  await contactSheet(pictures, join(ROOT, `docs/images/sample-${id}.png`));
  return { id, ...about, license: LICENSE, images };
}

const out = process.argv[2] ?? join(ROOT, "public/samples");
mkdirSync(join(ROOT, "docs/images"), { recursive: true });
const { sets } = loadSets();
const index = [];
for (const dataset of DATASETS) index.push(await makeDataset(sets.modern, dataset, out));
writeFileSync(join(out, "index.json"), `${JSON.stringify(index, null, 2)}\n`);
console.log(index.map((entry) => `${entry.id}: ${entry.images.length} drawings`).join("\n"));
