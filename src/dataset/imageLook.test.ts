import sharp, { type Sharp } from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import {
  blockinessOf,
  blurOf,
  colourDistance,
  greyOf,
  hashDistance,
  lookOf,
  type ImageLook,
} from "./imageLook";
import { jpegQuality } from "./jpegQuality";
import type { Pixels } from "./pixels";

const size = 192;
const scenes = new Map<number, Buffer>();

function scene(seed: number): Sharp {
  const data = scenes.get(seed) ?? drawScene(seed);
  scenes.set(seed, data);
  return sharp(data, { raw: { width: size, height: size, channels: 3 } });
}

/** A picture with edges, gradients and noise, as photographs have them. */
function drawScene(seed: number): Buffer {
  const data = Buffer.alloc(3 * size * size);
  let state = seed;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const shapes = Array.from({ length: 12 }, () => [
    random(),
    random(),
    (0.05 + 0.2 * random()) ** 2,
    random(),
    random(),
  ]);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      let [r, g] = [80 + (90 * x) / size, 60 + (120 * y) / size];
      for (const [cx = 0, cy = 0, radius = 0, red = 0, green = 0] of shapes)
        if ((x / size - cx) ** 2 + (y / size - cy) ** 2 < radius) [r, g] = [255 * red, 255 * green];
      const grain = 12 * (random() - 0.5);
      const at = 3 * (y * size + x);
      data[at] = Math.min(255, Math.max(0, r + grain));
      data[at + 1] = Math.min(255, Math.max(0, g + grain));
      data[at + 2] = 128 + grain;
    }
  }
  return data;
}

async function pixelsOf(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: 3 };
}

async function look(picture: Sharp): Promise<ImageLook> {
  const pixels = await pixelsOf(picture);
  return lookOf(pixels, pixels);
}

async function recoded(picture: Sharp, quality: number): Promise<Sharp> {
  return sharp(await picture.jpeg({ quality }).toBuffer());
}

describe("near duplicates", () => {
  let original: ImageLook;
  beforeAll(async () => (original = await look(scene(1))));

  it("stay near after saving as JPEG, shrinking and brightening", async () => {
    const copies = [
      await recoded(scene(1), 60),
      sharp(await scene(1).resize(120).png().toBuffer()),
      scene(1).modulate({ brightness: 1.08 }),
    ];
    for (const copy of copies) {
      const other = await look(copy);
      expect(hashDistance(original.hash, other.hash)).toBeLessThanOrEqual(6);
      expect(colourDistance(original.colours, other.colours)).toBeLessThan(20);
    }
  });

  it("other pictures are far, other colours are told apart", async () => {
    const distances = await Promise.all(
      [2, 3, 4, 5].map(async (seed) => hashDistance(original.hash, (await look(scene(seed))).hash)),
    );
    expect(Math.min(...distances)).toBeGreaterThan(14);
    const recoloured = await look(sharp(await scene(1).modulate({ hue: 180 }).png().toBuffer()));
    expect(colourDistance(original.colours, recoloured.colours)).toBeGreaterThan(20);
  });
});

describe("blur and blocks", () => {
  it("rank a picture below its blurred copies", async () => {
    const blurs: number[] = [];
    for (const sigma of [0, 1.5, 3, 6]) {
      const picture = sigma === 0 ? scene(1) : sharp(await scene(1).blur(sigma).png().toBuffer());
      blurs.push(blurOf(greyOf(await pixelsOf(picture))));
    }
    expect(blurs).toEqual(blurs.toSorted((a, b) => a - b));
    expect(blurs[0]).toBeLessThan(0.4);
    expect(blurs.at(-1)).toBeGreaterThan(0.65);
  });

  it("a flat picture is not called blurred", () => {
    expect(blurOf({ data: new Float32Array(64 * 64).fill(90), width: 64, height: 64 })).toBe(0);
  });

  it("see JPEG's blocks in a ruined picture only", async () => {
    const blocks = async (quality: number): Promise<number> =>
      blockinessOf(greyOf(await pixelsOf(await recoded(scene(1), quality))));
    expect(await blocks(90)).toBeLessThan(1.3);
    expect(await blocks(8)).toBeGreaterThan(1.8);
  });

  it.each([10, 30, 50, 75, 95])("a JPEG saved at %i says so", async (quality) => {
    const head = await scene(1).jpeg({ quality }).toBuffer();
    expect(Math.abs((jpegQuality(head) ?? 0) - quality)).toBeLessThanOrEqual(2);
    expect(jpegQuality(head.subarray(0, 40))).toBeUndefined();
    expect(jpegQuality(await scene(1).png().toBuffer())).toBeUndefined();
  });
});
