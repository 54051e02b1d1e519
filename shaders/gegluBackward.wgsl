// Gradient of geglu: dx [rows, 2·4·width] = (g · gelu(gate), g · value · gelu′(gate)) + soFar; dx is overwritten.

#include "common/activations"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let at = index + (index / P.width) * P.width;
  let value = x_quad(at);
  let gate = x_quad(at + P.width);
  let g = g_quad(index);
  dx_put(at, g * gelu(gate) + soFar_quad(at));
  dx_put(at + P.width, g * value * gelu_slope(gate) + soFar_quad(at + P.width));
}
