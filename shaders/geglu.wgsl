// y = value · gelu(gate): x [rows, 2·4·width] holds value then gate, y [rows, 4·width] is overwritten.

#include "common/activations"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let value = index + (index / P.width) * P.width;
  y_put(index, x_quad(value) * gelu(x_quad(value + P.width)));
}
