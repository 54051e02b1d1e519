// First half of imageSums: the sum of each channel over a chunk of rows (pixels), in row order. One thread per channel
// quad, chunk and image.
//
// x [images, rows, 4·width]   partial [images, chunks, 4·width] overwritten

#include "common/rowChunks"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let chunk = row_chunk(index);
  var sum = vec4f();
  for (var row = chunk.begin; row < chunk.end; row++) { sum += x_quad(row_at(chunk, row)); }
  partial_put(index, sum);
}
