// dx = rstd·(d − mean(d) − x̂·mean(d·x̂)) + soFar, with the means of groupNormBackwardMerge; dx is overwritten. One
// thread per channel quad and run of `chunkRows` rows.
//
// x, g, dx [images, rows, 4·width]   stats, means [images, statStride]

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
  let at4 = chunk.image * P.statStride + 2u * ((vec4u(4u * q) + vec4u(0u, 1u, 2u, 3u)) / P.groupWidth);
  let meanD = vec4f(means_at(at4.x), means_at(at4.y), means_at(at4.z), means_at(at4.w));
  let meanX = vec4f(means_at(at4.x + 1u), means_at(at4.y + 1u), means_at(at4.z + 1u), means_at(at4.w + 1u));
  let gamma = gamma_quad(q);
  let beta = beta_quad(q);
  for (var row = chunk.begin; row < chunk.end; row++) {
    let at = row_at(chunk, row);
    let normal = (x_quad(at) - stats.mean) * stats.rstd;
    let d = gradient_at_normal(g_quad(at), normal, gamma, beta);
    dx_put(at, stats.rstd * (d - meanD - normal * meanX) + soFar_quad(at));
  }
}
