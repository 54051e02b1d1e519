// Statistics of groupNorm in one dispatch, for small pictures: one workgroup of 64 threads per image and group, each
// thread takes every 64th of the group's (row, channel) pairs. Two passes, so no digits cancel.
//
// x [images, rows, channels]   stats [images, statStride] overwritten: mean and 1/√(variance + eps) of each group

#include "common/reduce64"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let image = wid.x / P.groups;
  let group = wid.x - image * P.groups;
  let first = image * P.rows * P.channels + group * P.groupWidth;
  let pairs = P.rows * P.groupWidth;
  // The first value is taken off before averaging: a mean far above the spread costs no digits.
  let shift = x_at(first);
  var sum = 0f;
  for (var i = lid.x; i < pairs; i += 64u) { sum += x_at(element(first, i)) - shift; }
  let mean = shift + reduce64(lid.x, vec2f(sum, 0f)).x / f32(pairs);
  var squares = 0f;
  for (var i = lid.x; i < pairs; i += 64u) {
    let deviation = x_at(element(first, i)) - mean;
    squares += deviation * deviation;
  }
  let variance = reduce64(lid.x, vec2f(squares, 0f)).x / f32(pairs);
  if (lid.x == 0u) {
    let at = image * P.statStride + 2u * group;
    stats_put1(at, mean);
    stats_put1(at + 1u, inverseSqrt(variance + P.eps));
  }
}

fn element(first: u32, i: u32) -> u32 {
  let row = i / P.groupWidth;
  return first + row * P.channels + i - row * P.groupWidth;
}
