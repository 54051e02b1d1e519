// Adds up the slices of a split contraction in order and finishes like `linear`: y = Σ partial + bias + rowVector + residual.
//
// partial [slices, M, 4·n4] f32   bias [4·n4]   rowVector [M / rowsPerImage, 4·rowStride]   residual, y [M, 4·n4]
// y is overwritten; absent inputs add nothing. One thread per quad.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  let count = P.M * P.n4;
  if (index >= count) { return; }
  var sum = vec4f();
  for (var slice = 0u; slice < P.slices; slice++) { sum += partial_quad(slice * count + index); }
  let row = index / P.n4;
  let column = index - row * P.n4;
  y_put(index, sum + bias_quad(column) + rowVector_quad(row / P.rowsPerImage * P.rowStride + column) + residual_quad(index));
}
