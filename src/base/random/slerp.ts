/**
 * Variation seeds: spherical interpolation between two noises, as the web UI does it.
 *
 * The norms run over the rows (axis 1 of [C, H, W]), one vector per channel and column: odd, but it is what
 * decides the picture.
 */

/** Above this mean cosine the vectors count as parallel and are blended linearly. */
const PARALLEL = 0.9995;

interface Columns {
  channels: number;
  height: number;
  width: number;
}

/** Cosine of the angle between the two columns that start at `start`. */
function columnCosine(a: Float32Array, b: Float32Array, start: number, { height, width }: Columns): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    const i = start + y * width;
    const [p, q] = [a[i] ?? 0, b[i] ?? 0];
    dot += p * q;
    aa += p * p;
    bb += q * q;
  }
  return dot / Math.sqrt(aa * bb);
}

function forEachColumn(
  { channels, height, width }: Columns,
  visit: (start: number, column: number) => void,
): void {
  for (let c = 0; c < channels; c++) {
    for (let x = 0; x < width; x++) visit(c * height * width + x, c * width + x);
  }
}

/**
 * @param low noise of the seed, [C, H, W].
 * @param high noise of the variation seed, same shape.
 * @param strength 0 gives `low`, 1 gives `high`.
 */
export function slerpNoise(
  strength: number,
  low: Float32Array,
  high: Float32Array,
  shape: readonly [channels: number, height: number, width: number],
): Float32Array {
  const columns: Columns = { channels: shape[0], height: shape[1], width: shape[2] };
  const cosines = new Float64Array(columns.channels * columns.width);
  forEachColumn(columns, (start, column) => (cosines[column] = columnCosine(low, high, start, columns)));
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
  const out = new Float32Array(low.length);
  forEachColumn(columns, (start, column) => {
    const [a, b] = weights(strength, cosines[column] ?? 0, mean > PARALLEL);
    for (let y = 0; y < columns.height; y++) {
      const i = start + y * columns.width;
      out[i] = a * (low[i] ?? 0) + b * (high[i] ?? 0);
    }
  });
  return out;
}

/** Weights of low and high. The linear branch has them swapped in the original; pictures depend on it. */
function weights(strength: number, cosine: number, parallel: boolean): [number, number] {
  if (parallel) return [strength, 1 - strength];
  const omega = Math.acos(cosine);
  const sine = Math.sin(omega);
  return [Math.sin((1 - strength) * omega) / sine, Math.sin(strength * omega) / sine];
}
