/** How much each latent pixel counts: the mean of the mask over the pixels it stands for, as `interpolate(mode="area")`. */

const side = 8;

/**
 * @param mask 0…`most`, `[height, width]` in picture pixels, both multiples of 8. @returns 0…1, `[height / 8, width / 8]`
 */
export function latentMask(
  mask: ArrayLike<number>,
  width: number,
  height: number,
  most = 1,
): Float32Array<ArrayBuffer> {
  const columns = width / side;
  const sums = new Float64Array((height / side) * columns);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = Math.floor(y / side) * columns + Math.floor(x / side);
      sums[at] = (sums[at] ?? 0) + (mask[y * width + x] ?? 0);
    }
  return Float32Array.from(sums, (sum) => sum / (most * side ** 2));
}
