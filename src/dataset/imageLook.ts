/** What a picture looks like, in a few numbers: for finding near duplicates, blur and ruined JPEGs. Computed once, at import. */
import { areaResize } from "./areaResize";
import type { Pixels } from "./pixels";

export interface ImageLook {
  /** 64-bit perceptual hash, 16 hex digits: like pictures differ in few bits. */
  hash: string;
  /** Mean colours of a 4 × 4 grid, 96 hex digits: what the hash, which knows only grey, cannot tell apart. */
  colours: string;
  /** 0 (sharp) … 1 (blurred): how little another blur would change it. */
  blur: number;
  /** Steps across the borders of JPEG's 8 × 8 blocks ÷ steps elsewhere; 1 where there are no blocks. */
  blockiness: number;
  /** 1…100 as its encoder's setting; JPEGs only. */
  quality?: number | undefined;
}

/** One channel, rows from the top. */
export interface Grey {
  data: Float32Array;
  width: number;
  height: number;
}

/** Rec. 601 luma, 0…255. */
export function greyOf({ data, width, height, channels }: Pixels): Grey {
  const grey = new Float32Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const at = i * channels;
    grey[i] = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
  }
  return { data: grey, width, height };
}

const hashSide = 8;
const hashInput = 32;

/** cos((2x + 1) u π / 64) for the lowest frequencies u = 0…8: [9][32]. */
const cosines = Array.from({ length: hashSide + 1 }, (_, u) =>
  Float64Array.from({ length: hashInput }, (_x, x) =>
    Math.cos(((2 * x + 1) * u * Math.PI) / (2 * hashInput)),
  ),
);

/**
 * The low frequencies of a 32 × 32 grey picture's cosine transform, each above or below their median (after pHash by
 * E. Klinger and D. Starkweather). The row and column without frequency are left out: brightness must not matter.
 * @param small 32 × 32
 */
export function perceptualHash(small: Grey): string {
  const rows = Array.from({ length: hashInput }, (_, y) =>
    cosines.map((wave) => wave.reduce((sum, c, x) => sum + c * (small.data[y * hashInput + x] ?? 0), 0)),
  );
  const values: number[] = [];
  for (let v = 1; v <= hashSide; v++) {
    for (let u = 1; u <= hashSide; u++)
      values.push(rows.reduce((sum, row, y) => sum + (cosines[v]?.[y] ?? 0) * (row[u] ?? 0), 0));
  }
  const sorted = values.toSorted((a, b) => a - b);
  const median = ((sorted[31] ?? 0) + (sorted[32] ?? 0)) / 2;
  const nibbles = Array.from({ length: 16 }, (_, n) =>
    [0, 1, 2, 3].reduce((bits, i) => 2 * bits + ((values[4 * n + i] ?? 0) > median ? 1 : 0), 0),
  );
  return nibbles.map((nibble) => nibble.toString(16)).join("");
}

/** Sum of steps between neighbours along one axis, and how many of them a box blur of 9 takes away. */
function axisBlur(
  { data }: Grey,
  length: number,
  lines: number,
  step: number,
  line: number,
): [number, number] {
  let steps = 0;
  let lost = 0;
  for (let l = 0; l < lines; l++) {
    const at = (i: number): number => data[l * line + Math.min(length - 1, Math.max(0, i)) * step] ?? 0;
    let window = 0;
    for (let i = -4; i <= 4; i++) window += at(i);
    let before = window / 9;
    for (let i = 1; i < length; i++) {
      window += at(i + 4) - at(i - 5);
      const sharp = Math.abs(at(i) - at(i - 1));
      const soft = Math.abs(window / 9 - before);
      before = window / 9;
      steps += sharp;
      lost += Math.max(0, sharp - soft);
    }
  }
  return [steps, lost];
}

/**
 * The no-reference blur metric of Crété, Dolmière, Ladret and Nicolas (2007): a sharp picture loses much of its variation when
 * it is blurred again, a blurred one little. The worse of the two directions. A picture without variation counts as sharp:
 * it has nothing to lose.
 */
export function blurOf(grey: Grey): number {
  const { width, height } = grey;
  const [acrossSteps, acrossLost] = axisBlur(grey, width, height, 1, width);
  const [downSteps, downLost] = axisBlur(grey, height, width, width, 1);
  const blur = (steps: number, lost: number): number =>
    steps > width * height * 0.05 ? (steps - lost) / steps : 0;
  return Math.max(blur(acrossSteps, acrossLost), blur(downSteps, downLost));
}

/** Mean step across block borders ÷ mean step inside blocks; both from where the picture itself is nearly flat. */
export function blockinessOf({ data, width, height }: Grey): number {
  const sums = { border: 0, borders: 0, inside: 0, insides: 0 };
  // Where a picture has an edge of its own the step says nothing about the encoder.
  const flat = 24;
  for (let y = 0; y < height; y++) {
    for (let x = 1; x < width; x++) {
      const step = Math.abs((data[y * width + x] ?? 0) - (data[y * width + x - 1] ?? 0));
      if (step > flat) continue;
      if (x % 8 === 0) {
        sums.border += step;
        sums.borders++;
      } else {
        sums.inside += step;
        sums.insides++;
      }
    }
  }
  const border = sums.border / Math.max(1, sums.borders);
  const inside = sums.inside / Math.max(1, sums.insides);
  // Half a grey level: what rounding alone makes of a smooth area.
  return (border + 0.5) / (inside + 0.5);
}

function hexByte(value: number): string {
  return Math.round(value).toString(16).padStart(2, "0");
}

/** A copy no larger than asked for on either side; enlarging is not needed for any of this. */
function shrink(pixels: Pixels, width: number, height: number): Pixels {
  return areaResize(pixels, Math.min(pixels.width, width), Math.min(pixels.height, height));
}

/** Spread over the wanted size when the picture has fewer pixels than that. */
function spread(grey: Grey, side: number): Grey {
  if (grey.width === side && grey.height === side) return grey;
  const data = Float32Array.from({ length: side * side }, (_, i) => {
    const x = Math.floor(((i % side) * grey.width) / side);
    const y = Math.floor((Math.floor(i / side) * grey.height) / side);
    return grey.data[y * grey.width + x] ?? 0;
  });
  return { data, width: side, height: side };
}

/**
 * @param whole the picture at most 512 px a side, RGB
 * @param middle a piece of it pixel by pixel as stored, its left edge on a multiple of 8, RGB
 */
export function lookOf(whole: Pixels, middle: Pixels): ImageLook {
  const small = shrink(whole, hashInput, hashInput);
  const grid = shrink(whole, 4, 4);
  return {
    hash: perceptualHash(spread(greyOf(small), hashInput)),
    colours: [...grid.data].map(hexByte).join(""),
    blur: blurOf(greyOf(whole)),
    blockiness: blockinessOf(greyOf(middle)),
  };
}

const bitCounts = Uint8Array.from(
  { length: 16 },
  (_, n) => (n & 1) + ((n >> 1) & 1) + ((n >> 2) & 1) + (n >> 3),
);

/** Bits in which two hashes differ, 0…64. */
export function hashDistance(a: string, b: string): number {
  let distance = 0;
  for (let i = 0; i < 16; i++)
    distance += bitCounts[Number.parseInt(a[i] ?? "0", 16) ^ Number.parseInt(b[i] ?? "0", 16)] ?? 0;
  return distance;
}

/** Mean difference of two colour grids, 0…255; 255 for grids of different shapes. */
export function colourDistance(a: string, b: string): number {
  if (a.length !== b.length || a.length === 0) return 255;
  let sum = 0;
  for (let i = 0; i < a.length; i += 2)
    sum += Math.abs(Number.parseInt(a.slice(i, i + 2), 16) - Number.parseInt(b.slice(i, i + 2), 16));
  return sum / (a.length / 2);
}
