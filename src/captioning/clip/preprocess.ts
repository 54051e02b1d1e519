/**
 * What CLIP's image encoder sees: the shortest side resized to the model's size with the bicubic kernel, the centre
 * cut out, channels first, normalised. As open_clip (torchvision on Pillow pictures) does it.
 */
import { bicubicResize } from "../../dataset/pillowResize";
import { cropPixels, type Pixels } from "../../dataset/pixels";

export interface ChannelStatistics {
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
}

/** Of CLIP's training pictures, in units of 0…1. */
export const clipStatistics: ChannelStatistics = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** Python's `round`: halves to even. */
function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}

/** RGB of `size` × `size`: shortest side fitted, centre kept. */
export function fitAndCrop(pixels: Pixels, size: number): Pixels {
  const { width, height } = pixels;
  const short = Math.min(width, height);
  const long = (side: number): number => Math.trunc((size * side) / short);
  const [fitWidth, fitHeight] = width <= height ? [size, long(height)] : [long(width), size];
  const fitted = bicubicResize(pixels, fitWidth, fitHeight);
  const left = roundHalfEven((fitWidth - size) / 2);
  const top = roundHalfEven((fitHeight - size) / 2);
  return cropPixels(fitted, left, top, size, size);
}

/** [3, height, width] f32 of RGB bytes: (x / 255 − mean) / std. */
export function normaliseChannels({ data, width, height, channels }: Pixels, statistics: ChannelStatistics) {
  const count = width * height;
  const planes = new Float32Array(3 * count);
  for (let c = 0; c < 3; c++) {
    const mean = statistics.mean[c] ?? 0;
    const std = statistics.std[c] ?? 1;
    for (let i = 0; i < count; i++)
      planes[c * count + i] = ((data[i * channels + c] ?? 0) / 255 - mean) / std;
  }
  return planes;
}
