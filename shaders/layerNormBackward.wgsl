// Gradient of layerNorm with respect to x; one thread per row of 4·width values, statistics computed again from x.
// With d = g·gamma and x̂ = (x − mean)·rstd: dx = rstd·(d − mean(d) − x̂·mean(d·x̂)) + soFar; dx is overwritten.

#include "common/rowStatistics"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let base = index * P.width;
  let stats = row_statistics(base);
  var sum = vec4f();
  var sumX = vec4f();
  for (var q = 0u; q < P.width; q++) {
    let d = g_quad(base + q) * gamma_quad(q);
    sum += d;
    sumX += d * (x_quad(base + q) - stats.x) * stats.y;
  }
  let count = f32(4u * P.width);
  let meanD = (sum.x + sum.y + sum.z + sum.w) / count;
  let meanX = (sumX.x + sumX.y + sumX.z + sumX.w) / count;
  for (var q = 0u; q < P.width; q++) {
    let normal = (x_quad(base + q) - stats.x) * stats.y;
    let d = g_quad(base + q) * gamma_quad(q);
    dx_put(base + q, stats.y * (d - meanD - normal * meanX) + soFar_quad(base + q));
  }
}
