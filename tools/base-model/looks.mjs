// The two looks that Mini has never seen, drawn by image processing from flat drawings.
import sharp from "sharp";

const BLUEPRINT = { paper: [14, 46, 134], line: [240, 247, 255] };
const LINE_RADIUS = 7; // pixels of a source twice as large as the picture: lines that survive an autoencoder at 128 px

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

/** Per pixel `pick` (Math.max or min) of a plane over a window of `radius` around it, along one axis and then the other. */
function extreme(plane, size, radius, pick) {
  const along = (source, step, across) => {
    const out = new Float32Array(source.length);
    for (let line = 0; line < size; line++) {
      for (let i = 0; i < size; i++) {
        let value = source[line * across + i * step];
        const end = Math.min(i + radius, size - 1);
        for (let j = Math.max(i - radius, 0); j <= end; j++)
          value = pick(value, source[line * across + j * step]);
        out[line * across + i * step] = value;
      }
    }
    return out;
  };
  return along(along(plane, 1, size), size, 1);
}

/** Per pixel the largest difference of any premultiplied channel or of alpha within `radius`. */
function contrastOf({ data, size }, radius) {
  const contrast = new Float32Array(size * size);
  for (let channel = 0; channel < 4; channel++) {
    const plane = Float32Array.from(contrast, (_, at) =>
      channel === 3 ? data[4 * at + 3] : (data[4 * at + channel] * data[4 * at + 3]) / 255,
    );
    const high = extreme(plane, size, radius, Math.max);
    const low = extreme(plane, size, radius, Math.min);
    contrast.forEach((value, at) => (contrast[at] = Math.max(value, high[at] - low[at])));
  }
  return contrast;
}

/** White contour lines on deep blue. `drawing`: a sharp pipeline of twice the wanted size, RGBA. */
export async function blueprint(drawing, size) {
  const source = await raw(drawing);
  const out = Buffer.alloc(source.size * source.size * 3);
  contrastOf(source, LINE_RADIUS).forEach((contrast, at) => {
    const ink = Math.min(1, Math.max(0, (contrast - 24) / 32));
    BLUEPRINT.paper.forEach((paper, c) => {
      out[3 * at + c] = Math.round(paper + (BLUEPRINT.line[c] - paper) * ink);
    });
  });
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
