// layerNorm (same tensors) with one workgroup of 64 threads per row.

#include "common/reduce64"
#include "common/rowStatisticsShared"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let row = wid.y * num.x + wid.x;
  if (row >= P.count) { return; }
  let base = row * P.width;
  let stats = row_statistics(lid.x, base);
  for (var q = lid.x; q < P.width; q += 64u) {
    y_put(base + q, (x_quad(base + q) - stats.x) * stats.y * gamma_quad(q) + beta_quad(q));
  }
}
