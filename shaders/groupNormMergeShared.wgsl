// groupNormMerge (same tensors) with one workgroup of 64 threads per image and group: each thread takes every 64th of
// the group's (chunk, channel) pairs.

#include "common/reduce64"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let index = wid.x;
  let image = index / P.groups;
  let group = index - image * P.groups;
  let first = image * P.chunks * 2u * P.channels + group * P.groupWidth;
  let pairs = P.chunks * P.groupWidth;
  let total = f32(P.rows * P.groupWidth);
  // The first channel's mean is taken off before averaging: a mean far above the spread costs no digits.
  let shift = partial_at(first);
  var sum = 0f;
  for (var i = lid.x; i < pairs; i += 64u) {
    let chunk = i / P.groupWidth;
    sum += rows_in(chunk) * (partial_at(first + 2u * chunk * P.channels + i - chunk * P.groupWidth) - shift);
  }
  let mean = shift + reduce64(lid.x, vec2f(sum, 0f)).x / total;
  var squares = 0f;
  for (var i = lid.x; i < pairs; i += 64u) {
    let chunk = i / P.groupWidth;
    let at = first + 2u * chunk * P.channels + i - chunk * P.groupWidth;
    let deviation = partial_at(at) - mean;
    squares += partial_at(at + P.channels) + rows_in(chunk) * deviation * deviation;
  }
  let variance = reduce64(lid.x, vec2f(squares, 0f)).x / total;
  if (lid.x == 0u) {
    let at = image * P.statStride + 2u * group;
    stats_put1(at, mean);
    stats_put1(at + 1u, inverseSqrt(variance + P.eps));
  }
}

fn rows_in(chunk: u32) -> f32 { return f32(min(P.chunkRows, P.rows - chunk * P.chunkRows)); }
