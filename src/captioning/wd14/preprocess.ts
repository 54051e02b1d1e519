/**
 * What WD14 taggers see, as sd-scripts prepares it: the picture on a white square (an odd pixel goes right and below),
 * resized to the model's side by area averaging, or by Lanczos when it grows; blue first, values 0…255 as they are.
 */
import { compositeOn, type Pixels } from "../../dataset/pixels";
import { trainingResize } from "../../dataset/prepare";

const white = 255;

/** The picture in the middle of a white square. */
export function padToSquare(pixels: Pixels): Pixels {
  const { width, height, channels } = pixels;
  const side = Math.max(width, height);
  if (width === side && height === side) return pixels;
  const left = Math.floor((side - width) / 2);
  const top = Math.floor((side - height) / 2);
  const data = new Uint8Array(side * side * channels).fill(white);
  const row = width * channels;
  for (let y = 0; y < height; y++)
    data.set(pixels.data.subarray(y * row, (y + 1) * row), ((top + y) * side + left) * channels);
  return { data, width: side, height: side, channels };
}

/** RGB of `side` × `side`. Transparency is put on white. */
function square(pixels: Pixels, side: number): Pixels {
  return trainingResize(padToSquare(compositeOn(pixels, [white, white, white])), [side, side]);
}

/** [side, side, 3] f32, blue green red, 0…255: the WD14 models of versions 2 and 3. */
export function taggerInput(pixels: Pixels, side: number): Float32Array {
  const { data } = square(pixels, side);
  const out = new Float32Array(data.length);
  for (let at = 0; at < data.length; at += 3) {
    out[at] = data[at + 2] ?? 0;
    out[at + 1] = data[at + 1] ?? 0;
    out[at + 2] = data[at] ?? 0;
  }
  return out;
}

/** [3, side, side] f32, blue green red, −1…1: the taggers that come with a `tag_mapping.json`. */
export function channelsFirstTaggerInput(pixels: Pixels, side: number): Float32Array {
  const rows = taggerInput(pixels, side);
  const count = side * side;
  return Float32Array.from(rows, (_, i) => (rows[(i % count) * 3 + Math.floor(i / count)] ?? 0) / 127.5 - 1);
}
