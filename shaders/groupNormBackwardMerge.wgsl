// Adds the partial sums of groupNormBackwardPartial over a group's channels and chunks, in index order; one thread per
// image and group.
//
// partial [images, chunks, 2, channels]   means [images, statStride] overwritten: (mean of d, mean of d·x̂) per group

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let index = wid.x * WG_X + lid.x;
  if (index >= P.count) { return; }
  let image = index / P.groups;
  let group = index - image * P.groups;
  let first = image * P.chunks * 2u * P.channels + group * P.groupWidth;
  var sum = 0f;
  var sumX = 0f;
  for (var chunk = 0u; chunk < P.chunks; chunk++) {
    for (var c = 0u; c < P.groupWidth; c++) {
      let at = first + 2u * chunk * P.channels + c;
      sum += partial_at(at);
      sumX += partial_at(at + P.channels);
    }
  }
  let total = f32(P.rows * P.groupWidth);
  let at = image * P.statStride + 2u * group;
  means_put1(at, sum / total);
  means_put1(at + 1u, sumX / total);
}
