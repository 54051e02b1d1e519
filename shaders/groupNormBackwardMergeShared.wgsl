// groupNormBackwardMerge (same tensors) with one workgroup of 64 threads per image and group.

#include "common/reduce64"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let index = wid.x;
  let image = index / P.groups;
  let group = index - image * P.groups;
  let first = image * P.chunks * 2u * P.channels + group * P.groupWidth;
  let pairs = P.chunks * P.groupWidth;
  var sums = vec2f();
  for (var i = lid.x; i < pairs; i += 64u) {
    let chunk = i / P.groupWidth;
    let at = first + 2u * chunk * P.channels + i - chunk * P.groupWidth;
    sums += vec2f(partial_at(at), partial_at(at + P.channels));
  }
  let result = reduce64(lid.x, sums) / f32(P.rows * P.groupWidth);
  if (lid.x == 0u) {
    let at = image * P.statStride + 2u * group;
    means_put1(at, result.x);
    means_put1(at + 1u, result.y);
  }
}
