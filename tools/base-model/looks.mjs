// The two looks that Mini has never seen, drawn by image processing from flat drawings.
import sharp from "sharp";

const BLUEPRINT = { paper: [14, 46, 134], line: [240, 247, 255] };

// Sixteen colours far apart from one another; each mosaic tile takes the nearest.
const PALETTE = [
  [26, 28, 44],
  [110, 50, 130],
  [205, 50, 70],
  [244, 130, 50],
  [255, 200, 60],
  [160, 230, 90],
  [50, 170, 90],
  [20, 100, 90],
  [40, 50, 110],
  [60, 95, 205],
  [70, 170, 245],
  [255, 140, 165],
  [244, 244, 244],
  [148, 176, 194],
  [86, 108, 134],
  [125, 75, 55],
];
const TILES = 16;
const PIXEL_ART_PAPER = [255, 226, 168];

async function raw(pipeline) {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  return { data, size: info.width };
}

/** Largest difference of any premultiplied channel or of alpha between pixels within `radius` of (x, y). */
function contrastAt({ data, size }, x, y, radius) {
  let contrast = 0;
  for (let channel = 0; channel < 4; channel++) {
    let low = 255;
    let high = 0;
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const at =
          4 * (Math.min(Math.max(y + dy, 0), size - 1) * size + Math.min(Math.max(x + dx, 0), size - 1));
        const value = channel === 3 ? data[at + 3] : (data[at + channel] * data[at + 3]) / 255;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    contrast = Math.max(contrast, high - low);
  }
  return contrast;
}

/** White contour lines on deep blue. `drawing`: a sharp pipeline of twice the wanted size, RGBA. */
export async function blueprint(drawing, size) {
  const source = await raw(drawing);
  const out = Buffer.alloc(source.size * source.size * 3);
  for (let y = 0; y < source.size; y++) {
    for (let x = 0; x < source.size; x++) {
      const ink = Math.min(1, Math.max(0, (contrastAt(source, x, y, 4) - 24) / 32));
      for (let c = 0; c < 3; c++) {
        const value = BLUEPRINT.paper[c] + (BLUEPRINT.line[c] - BLUEPRINT.paper[c]) * ink;
        out[3 * (y * source.size + x) + c] = Math.round(value);
      }
    }
  }
  return sharp(out, { raw: { width: source.size, height: source.size, channels: 3 } }).resize(size, size);
}

function nearest(colour) {
  const distance = (other) => other.reduce((sum, value, n) => sum + (value - colour[n]) ** 2, 0);
  return PALETTE.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}

/** A mosaic of 16 × 16 tiles in sixteen colours with a dark rim. `drawing`: a sharp pipeline, RGBA. */
export async function pixelArt(drawing, size) {
  const small = sharp(await drawing.png().toBuffer()).resize(TILES - 2, TILES - 2, { kernel: "cubic" });
  const grid = await raw(small.extend({ top: 1, bottom: 1, left: 1, right: 1, background: "#0000" }));
  const solid = (x, y) =>
    x >= 0 && y >= 0 && x < TILES && y < TILES && grid.data[4 * (y * TILES + x) + 3] > 110;
  const out = Buffer.alloc(TILES * TILES * 3);
  for (let y = 0; y < TILES; y++) {
    for (let x = 0; x < TILES; x++) {
      const at = 4 * (y * TILES + x);
      const rim = solid(x - 1, y) || solid(x + 1, y) || solid(x, y - 1) || solid(x, y + 1);
      const tile = solid(x, y)
        ? nearest([...grid.data.subarray(at, at + 3)])
        : rim
          ? PALETTE[0]
          : PIXEL_ART_PAPER;
      out.set(tile, 3 * (y * TILES + x));
    }
  }
  return sharp(out, { raw: { width: TILES, height: TILES, channels: 3 } }).resize(size, size, {
    kernel: "nearest",
  });
}
