// First half of the statistics of groupNorm: mean and summed squared deviation of each channel over a chunk of rows
// (pixels). One thread per channel quad, chunk and image; the deviations take a second pass, so no digits cancel.
//
// x [images, rows, 4·width]   partial [images, chunks, 2, 4·width] overwritten: means, then squared deviations

#include "common/rowChunks"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let chunk = row_chunk(index);
  let q = chunk.q;
  let shift = x_quad(row_at(chunk, chunk.begin));
  var sum = vec4f();
  for (var row = chunk.begin; row < chunk.end; row++) { sum += x_quad(row_at(chunk, row)) - shift; }
  let mean = shift + sum / f32(chunk.end - chunk.begin);
  var squares = vec4f();
  for (var row = chunk.begin; row < chunk.end; row++) {
    let deviation = x_quad(row_at(chunk, row)) - mean;
    squares += deviation * deviation;
  }
  partial_put(2u * chunk.block * P.width + q, mean);
  partial_put((2u * chunk.block + 1u) * P.width + q, squares);
}
