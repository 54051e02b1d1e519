// Sums of d and d·x̂ for each channel over a chunk of rows, with x̂ = (x − mean)·rstd and d the gradient that arrives at
// x̂. One thread per channel quad, chunk and image.
//
// x, g [images, rows, 4·width]   partial [images, chunks, 2, 4·width] overwritten: Σd, then Σd·x̂

#include "common/activations"
#include "common/rowChunks"
#include "common/groupStatistics"
#include "common/groupNormGradient"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let chunk = row_chunk(index);
  let q = chunk.q;
  let stats = group_statistics(chunk.image, q);
  let gamma = gamma_quad(q);
  let beta = beta_quad(q);
  var sum = vec4f();
  var sumX = vec4f();
  for (var row = chunk.begin; row < chunk.end; row++) {
    let at = row_at(chunk, row);
    let normal = (x_quad(at) - stats.mean) * stats.rstd;
    let d = gradient_at_normal(g_quad(at), normal, gamma, beta);
    sum += d;
    sumX += d * normal;
  }
  partial_put(2u * chunk.block * P.width + q, sum);
  partial_put((2u * chunk.block + 1u) * P.width + q, sumX);
}
