/** Prompts longer than 75 tokens: encoded in chunks of 77 and joined as the trainer does (`max_token_length` 150, 225). */

const CHUNK = 77;

/**
 * The first row of the first chunk, the 75 inner rows of every chunk, the last row of the last chunk.
 * @param chunks states `[77, width]` of each chunk
 * @returns `[2 + 75·chunks, width]`
 */
export function joinChunks(chunks: readonly Float32Array[], width: number): Float32Array<ArrayBuffer> {
  const inner = (CHUNK - 2) * width;
  const result = new Float32Array(2 * width + inner * chunks.length);
  result.set(chunks[0]?.subarray(0, width) ?? []);
  chunks.forEach((chunk, index) => result.set(chunk.subarray(width, width + inner), width + index * inner));
  result.set(chunks.at(-1)?.subarray((CHUNK - 1) * width) ?? [], result.length - width);
  return result;
}
