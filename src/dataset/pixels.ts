/** Pictures in memory, and what is done to them besides resizing. */

export interface Pixels {
  /** Rows from the top, [height, width, channels], 0…255. */
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
  /** RGB or RGBA. */
  channels: 3 | 4;
}

/** Cuts out [y, y + height) × [x, x + width). */
export function cropPixels(pixels: Pixels, x: number, y: number, width: number, height: number): Pixels {
  const { channels } = pixels;
  const row = width * channels;
  const data = new Uint8Array(row * height);
  for (let line = 0; line < height; line++) {
    const start = ((y + line) * pixels.width + x) * channels;
    data.set(pixels.data.subarray(start, start + row), line * row);
  }
  return { data, width, height, channels };
}

/**
 * RGB over a background colour. The trainer drops alpha instead, which shows whatever hides under transparent pixels.
 * @param colour background, 0…255 each. RGB pictures come back as they are.
 */
export function compositeOn(pixels: Pixels, colour: readonly [r: number, g: number, b: number]): Pixels {
  if (pixels.channels === 3) return pixels;
  const { width, height } = pixels;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const alpha = (pixels.data[i * 4 + 3] ?? 0) / 255;
    for (let c = 0; c < 3; c++) {
      const over = (pixels.data[i * 4 + c] ?? 0) * alpha + (colour[c] ?? 0) * (1 - alpha);
      data[i * 3 + c] = Math.round(over);
    }
  }
  return { data, width, height, channels: 3 };
}
