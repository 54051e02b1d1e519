/**
 * Resizing with a kernel. Equal to Pillow's on 8-bit pictures: fixed-point weights, and the horizontal pass rounded to
 * 8 bits before the vertical one. The trainer enlarges with Lanczos-3; CLIP and its relatives see pictures through the
 * bicubic kernel.
 */
import type { Pixels } from "./pixels";

interface Kernel {
  /** Zero from here on. */
  radius: number;
  weight(x: number): number;
}

/** Fraction bits of the weights. */
const PRECISION = 22;

/** Which source pixels make one output pixel. */
interface Tap {
  first: number;
  weights: Int32Array;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

const lanczos: Kernel = {
  radius: 3,
  weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0),
};

/** Keys' cubic convolution with a = -0.5. */
const bicubic: Kernel = {
  radius: 2,
  weight: (signed) => {
    const x = Math.abs(signed);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  },
};

/** The kernel is stretched when shrinking, so that it never skips source pixels. */
function planAxis(sourceSize: number, size: number, { radius, weight }: Kernel): Tap[] {
  const scale = sourceSize / size;
  const stretch = Math.max(scale, 1);
  const support = radius * stretch;
  return Array.from({ length: size }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(sourceSize, Math.trunc(centre + support + 0.5));
    const values = Array.from({ length: last - first }, (_, k) =>
      weight((first + k - centre + 0.5) / stretch),
    );
    const total = values.reduce((sum, w) => sum + w, 0);
    return { first, weights: Int32Array.from(values, (w) => fixed(w / total)) };
  });
}

/** Nearest fixed-point number, halves away from zero. */
function fixed(weight: number): number {
  return Math.trunc(weight * 2 ** PRECISION + Math.sign(weight) * 0.5);
}

function clampToByte(sum: number): number {
  return Math.min(255, Math.max(0, sum >> PRECISION));
}

/** What one pass needs to know of memory: how far apart neighbours along the axis are, and everything else. */
interface Strides {
  /** Between neighbours along the resized axis. */
  along: number;
  /** Between the lines that are resized independently; as many as `lines`. */
  between: number;
  lines: number;
}

/** Resizes one axis of interleaved samples. `run` samples in a row (a pixel or a whole line) share their weights. */
function resizeAxis(
  source: Pixels["data"],
  from: Strides,
  taps: readonly Tap[],
  run: number,
  out: Uint8Array,
  to: Strides,
): void {
  taps.forEach(({ first, weights }, position) => {
    for (let line = 0; line < from.lines; line++) {
      const start = line * from.between + first * from.along;
      const target = line * to.between + position * to.along;
      for (let s = 0; s < run; s++) {
        let sum = 2 ** (PRECISION - 1);
        for (let k = 0; k < weights.length; k++)
          sum += (source[start + k * from.along + s] ?? 0) * (weights[k] ?? 0);
        out[target + s] = clampToByte(sum);
      }
    }
  });
}

function resizeWidth(pixels: Pixels, width: number, kernel: Kernel): Pixels {
  if (pixels.width === width) return pixels;
  const { height, channels } = pixels;
  const data = new Uint8Array(width * height * channels);
  const strides = (w: number): Strides => ({ along: channels, between: w * channels, lines: height });
  resizeAxis(
    pixels.data,
    strides(pixels.width),
    planAxis(pixels.width, width, kernel),
    channels,
    data,
    strides(width),
  );
  return { data, width, height, channels };
}

function resizeHeight(pixels: Pixels, height: number, kernel: Kernel): Pixels {
  if (pixels.height === height) return pixels;
  const { width, channels } = pixels;
  const run = width * channels;
  const data = new Uint8Array(run * height);
  const strides: Strides = { along: run, between: 0, lines: 1 };
  resizeAxis(pixels.data, strides, planAxis(pixels.height, height, kernel), run, data, strides);
  return { data, width, height, channels };
}

export function lanczosResize(pixels: Pixels, width: number, height: number): Pixels {
  return resizeHeight(resizeWidth(pixels, width, lanczos), height, lanczos);
}

export function bicubicResize(pixels: Pixels, width: number, height: number): Pixels {
  return resizeHeight(resizeWidth(pixels, width, bicubic), height, bicubic);
}
