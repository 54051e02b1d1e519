// Means of d and d·x̂ over each group in one dispatch, for small pictures (see groupNormBackwardPartial for d and x̂): one
// workgroup of 64 threads per image and group, each thread takes every 64th of the group's (row, channel) pairs.
//
// x, g [images, rows, channels]   stats [images, statStride]   means [images, statStride] overwritten

#include "common/activations"
#include "common/groupNormGradient"
#include "common/reduce64"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let image = wid.x / P.groups;
  let group = wid.x - image * P.groups;
  let at = image * P.statStride + 2u * group;
  let mean = stats_at(at);
  let rstd = stats_at(at + 1u);
  let pairs = P.rows * P.groupWidth;
  var sums = vec2f();
  for (var i = lid.x; i < pairs; i += 64u) {
    let row = i / P.groupWidth;
    let channel = group * P.groupWidth + i - row * P.groupWidth;
    let index = (image * P.rows + row) * P.channels + channel;
    let normal = (x_at(index) - mean) * rstd;
    let d = gradient_at_normal(vec4f(g_at(index)), vec4f(normal), vec4f(gamma_at(channel)), vec4f(beta_at(channel))).x;
    sums += vec2f(d, d * normal);
  }
  let result = reduce64(lid.x, sums) / f32(pairs);
  if (lid.x == 0u) {
    means_put1(at, result.x);
    means_put1(at + 1u, result.y);
  }
}
