/**
 * Shrinking by area averaging: every output pixel is the mean of the source area it covers. Equal to OpenCV's
 * INTER_AREA on 8-bit pictures, which is what the trainer shrinks with.
 */
import type { Pixels } from "./pixels";

/** Which source pixels make up the output pixels of one axis, and with which weight. */
interface AxisPlan {
  /** [outputs + 1]: where each output's entries start. */
  starts: Int32Array;
  sources: Int32Array;
  weights: Float32Array;
}

/** Cells thinner than this are left out, as in OpenCV. */
const THIN = 1e-3;

/** [source, weight] pairs of one output pixel. */
function coveredBy(index: number, scale: number, sourceSize: number): [number, number][] {
  const from = index * scale;
  const to = from + scale;
  const width = Math.min(scale, sourceSize - from);
  const lastWhole = Math.min(Math.floor(to), sourceSize - 1);
  const firstWhole = Math.min(Math.ceil(from), lastWhole);
  const covered: [number, number][] = [];
  if (firstWhole - from > THIN) covered.push([firstWhole - 1, (firstWhole - from) / width]);
  for (let source = firstWhole; source < lastWhole; source++) covered.push([source, 1 / width]);
  if (to - lastWhole > THIN) covered.push([lastWhole, Math.min(to - lastWhole, 1, width) / width]);
  return covered;
}

function planAxis(sourceSize: number, size: number): AxisPlan {
  const entries = Array.from({ length: size }, (_, i) => coveredBy(i, sourceSize / size, sourceSize));
  const starts = new Int32Array(size + 1);
  entries.forEach((list, i) => (starts[i + 1] = (starts[i] ?? 0) + list.length));
  const flat = entries.flat();
  return {
    starts,
    sources: Int32Array.from(flat, ([source]) => source),
    weights: Float32Array.from(flat, ([, weight]) => weight),
  };
}

/** One source row averaged horizontally; overwrites `out` [width · channels]. */
function averageRow(row: Pixels["data"], plan: AxisPlan, channels: number, out: Float32Array): void {
  const { starts, sources, weights } = plan;
  out.fill(0);
  for (let x = 0; x < starts.length - 1; x++) {
    for (let entry = starts[x] ?? 0; entry < (starts[x + 1] ?? 0); entry++) {
      const at = (sources[entry] ?? 0) * channels;
      const weight = weights[entry] ?? 0;
      for (let c = 0; c < channels; c++)
        out[x * channels + c] = (out[x * channels + c] ?? 0) + (row[at + c] ?? 0) * weight;
    }
  }
}

/** Rounds halves to even, as the processor's conversion from float does. */
function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down + (down % 2);
}

/** @param width and @param height not above the source's. */
export function areaResize(pixels: Pixels, width: number, height: number): Pixels {
  const { channels } = pixels;
  if (pixels.width === 2 * width && pixels.height === 2 * height) return halve(pixels);
  const across = planAxis(pixels.width, width);
  const down = planAxis(pixels.height, height);
  const data = new Uint8Array(width * height * channels);
  const line = new Float32Array(width * channels);
  const sum = new Float32Array(width * channels);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (let entry = down.starts[y] ?? 0; entry < (down.starts[y + 1] ?? 0); entry++) {
      const start = (down.sources[entry] ?? 0) * pixels.width * channels;
      const weight = down.weights[entry] ?? 0;
      averageRow(pixels.data.subarray(start, start + pixels.width * channels), across, channels, line);
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (line[i] ?? 0) * weight;
    }
    for (let i = 0; i < sum.length; i++) data[y * sum.length + i] = roundHalfEven(sum[i] ?? 0);
  }
  return { data, width, height, channels };
}

/** OpenCV's special case for one half: integer means of four, halves up. */
function halve({ data: source, width: sourceWidth, height: sourceHeight, channels }: Pixels): Pixels {
  const [width, height] = [sourceWidth / 2, sourceHeight / 2];
  const data = new Uint8Array(width * height * channels);
  const rowLength = sourceWidth * channels;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const at = 2 * y * rowLength + 2 * x * channels + c;
        const upper = (source[at] ?? 0) + (source[at + channels] ?? 0);
        const lower = (source[at + rowLength] ?? 0) + (source[at + rowLength + channels] ?? 0);
        data[(y * width + x) * channels + c] = (upper + lower + 2) >> 2;
      }
    }
  }
  return { data, width, height, channels };
}
