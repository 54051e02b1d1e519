// Adds the slices of attention's key and value gradients in order.
//
// part [slices, rows, width] quads, f32
// out  [rows, outStride] columns outOffset …: overwritten with the sum plus `add` (laid out like out) when present

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  var sum = part_quad(index);
  for (var s = 1u; s < P.slices; s++) { sum += part_quad(s * P.count + index); }
  let row = index / P.width;
  let place = row * P.outStride + P.outOffset + index - row * P.width;
  out_put(place, sum + add_quad(place));
}
