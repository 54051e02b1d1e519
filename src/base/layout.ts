/** Image layouts: files and references are channels first (NCHW), the engine is channels last (NHWC). */

/**
 * `[batch, channels, height, width]` → `[batch, height, width, paddedChannels]`, extra channels zero.
 */
export function channelsLast(
  values: ArrayLike<number>,
  batch: number,
  channels: number,
  pixels: number,
  paddedChannels = channels,
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(batch * pixels * paddedChannels);
  for (let image = 0; image < batch; image++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        result[(image * pixels + pixel) * paddedChannels + channel] =
          values[(image * channels + channel) * pixels + pixel] ?? 0;
      }
    }
  }
  return result;
}

/** `[batch, height, width, storedChannels]` → `[batch, channels, height, width]`, dropping padding channels. */
export function channelsFirst(
  values: ArrayLike<number>,
  batch: number,
  channels: number,
  pixels: number,
  storedChannels = channels,
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(batch * pixels * channels);
  for (let image = 0; image < batch; image++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        result[(image * channels + channel) * pixels + pixel] =
          values[(image * pixels + pixel) * storedChannels + channel] ?? 0;
      }
    }
  }
  return result;
}

/** Arrays one after the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
