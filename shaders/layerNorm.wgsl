// y = (x − mean) · rstd · gamma + beta for each of `count` rows of 4·width values; one thread per row. y is overwritten.

#include "common/rowStatistics"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let base = index * P.width;
  let stats = row_statistics(base);
  for (var q = 0u; q < P.width; q++) {
    y_put(base + q, (x_quad(base + q) - stats.x) * stats.y * gamma_quad(q) + beta_quad(q));
  }
}
