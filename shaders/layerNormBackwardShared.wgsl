// layerNormBackward (same tensors) with one workgroup of 64 threads per row.

#include "common/reduce64"
#include "common/rowStatisticsShared"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let row = wid.y * num.x + wid.x;
  if (row >= P.count) { return; }
  let base = row * P.width;
  let stats = row_statistics(lid.x, base);
  var sum = vec4f();
  var sumX = vec4f();
  for (var q = lid.x; q < P.width; q += 64u) {
    let d = g_quad(base + q) * gamma_quad(q);
    sum += d;
    sumX += d * (x_quad(base + q) - stats.x) * stats.y;
  }
  let means = reduce64(lid.x, vec2f(total(sum), total(sumX))) / f32(4u * P.width);
  for (var q = lid.x; q < P.width; q += 64u) {
    let normal = (x_quad(base + q) - stats.x) * stats.y;
    let d = g_quad(base + q) * gamma_quad(q);
    dx_put(base + q, stats.y * (d - means.x - normal * means.y) + soFar_quad(base + q));
  }
}
