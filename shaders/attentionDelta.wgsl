// Δ of attention's backward pass: the dot product of each output row with its gradient, per head.
//
// o, grad [B, Tq, heads·d4] quads
// delta   [B·heads, tqPad] overwritten

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let row = index / P.heads;
  let head = index - row * P.heads;
  let image = row / P.tq;
  let base = index * P.d4;
  var sum = 0f;
  for (var c = 0u; c < P.d4; c++) { sum += dot(o_quad(base + c), grad_quad(base + c)); }
  delta_put1((image * P.heads + head) * P.tqPad + row - image * P.tq, sum);
}
