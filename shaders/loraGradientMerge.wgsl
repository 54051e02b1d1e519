// Adds up the slices of loraGradient in order.
//
// partial [slices, downQuads + upQuads] quads; downGradient and upGradient are overwritten, or added to when the step
// accumulates micro-batches (scalars[ACCUMULATE] is 1). One thread per quad.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  let count = P.downQuads + P.upQuads;
  if (index >= count) { return; }
  var sum = vec4f();
  for (var slice = 0u; slice < P.slices; slice++) { sum += partial_quad(slice * count + index); }
  // What lies there from an earlier step may be NaN: it is chosen or not, never multiplied away.
  let adds = scalars_at(ACCUMULATE) == 1f;
  if (index < P.downQuads) {
    downGradient_put(index, select(sum, sum + downGradient_quad(index), adds));
  } else {
    let up = index - P.downQuads;
    upGradient_put(up, select(sum, sum + upGradient_quad(up), adds));
  }
}
