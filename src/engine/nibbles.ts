/**
 * The sixteen values of a q4 block: u·scale + minimum, u = 0 … 15, scale and minimum as halves. Spreading them from the
 * least to the largest value gives the outliers most of the room; a somewhat narrower grid, refitted by least squares to
 * the values it was given, is closer to all of them together.
 */
import { f16ToF32, f32ToF16 } from "../base/half";

export interface NibbleGrid {
  readonly scale: number;
  readonly minimum: number;
  readonly scaleHalf: number;
  readonly minimumHalf: number;
}

const LEVELS = 15;
/** Shares of the range that the grids to start from cover, about its middle. */
const SPREADS = [0.96, 0.88];
/** Refits of each; more change nothing that shows. */
const REFITS = 2;

/** The grid with the least squared error that was found for a block of values. */
export function bestGrid(values: Float32Array): NibbleGrid {
  let least = Infinity;
  let largest = -Infinity;
  for (const value of values) {
    least = Math.min(least, value);
    largest = Math.max(largest, value);
  }
  let best = gridOf((largest - least) / LEVELS, least);
  let bestError = squaredError(values, best);
  for (const spread of SPREADS) {
    const scale = (spread * (largest - least)) / LEVELS;
    let grid = gridOf(scale, (least + largest - LEVELS * scale) / 2);
    for (let refit = 0; refit < REFITS; refit++) {
      grid = refitted(values, grid);
      const error = squaredError(values, grid);
      if (error < bestError) [best, bestError] = [grid, error];
    }
  }
  return best;
}

/** Which of the sixteen values is nearest. */
export function nibbleOf(value: number, { scale, minimum }: NibbleGrid): number {
  if (scale === 0) return 0;
  return Math.max(0, Math.min(LEVELS, Math.round((value - minimum) / scale)));
}

/** Scale and minimum are rounded to halves first, so that nibbles are chosen for the values a kernel will see. */
function gridOf(scale: number, minimum: number): NibbleGrid {
  const [scaleHalf, minimumHalf] = [f32ToF16(scale), f32ToF16(minimum)];
  return { scaleHalf, minimumHalf, scale: f16ToF32(scaleHalf), minimum: f16ToF32(minimumHalf) };
}

/** Least squares for scale and minimum with the nibbles held: the line of values over nibbles. */
function refitted(values: Float32Array, grid: NibbleGrid): NibbleGrid {
  let [u, uu, v, uv] = [0, 0, 0, 0];
  for (const value of values) {
    const nibble = nibbleOf(value, grid);
    u += nibble;
    uu += nibble * nibble;
    v += value;
    uv += nibble * value;
  }
  const count = values.length;
  const spread = count * uu - u * u;
  if (spread === 0) return grid;
  const scale = (count * uv - u * v) / spread;
  return gridOf(scale, (v - scale * u) / count);
}

function squaredError(values: Float32Array, grid: NibbleGrid): number {
  let sum = 0;
  for (const value of values) {
    const difference = nibbleOf(value, grid) * grid.scale + grid.minimum - value;
    sum += difference * difference;
  }
  return sum;
}
