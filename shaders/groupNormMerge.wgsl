// Second half of the statistics of groupNorm: merges channels and chunks into one mean and one 1/√(variance + eps) per
// image and group, in index order. One thread per image and group.
//
// partial [images, chunks, 2, channels]   stats [images, statStride] overwritten: (mean, rstd) of each group

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let index = wid.x * WG_X + lid.x;
  if (index >= P.count) { return; }
  let image = index / P.groups;
  let group = index - image * P.groups;
  let first = image * P.chunks * 2u * P.channels + group * P.groupWidth;
  let total = f32(P.rows * P.groupWidth);
  // The first channel's mean is taken off before averaging, for the same reason as in the first half.
  let shift = partial_at(first);
  var mean = 0f;
  for (var chunk = 0u; chunk < P.chunks; chunk++) {
    var sum = 0f;
    for (var c = 0u; c < P.groupWidth; c++) { sum += partial_at(first + 2u * chunk * P.channels + c) - shift; }
    mean += sum * rows_in(chunk);
  }
  mean = shift + mean / total;
  var squares = 0f;
  for (var chunk = 0u; chunk < P.chunks; chunk++) {
    for (var c = 0u; c < P.groupWidth; c++) {
      let at = first + 2u * chunk * P.channels + c;
      let deviation = partial_at(at) - mean;
      squares += partial_at(at + P.channels) + rows_in(chunk) * deviation * deviation;
    }
  }
  let at = image * P.statStride + 2u * group;
  stats_put1(at, mean);
  stats_put1(at + 1u, inverseSqrt(squares / total + P.eps));
}

fn rows_in(chunk: u32) -> f32 { return f32(min(P.chunkRows, P.rows - chunk * P.chunkRows)); }
