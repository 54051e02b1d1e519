// dx = g · f′(x) + soFar on `count` quads, f chosen by SILU, GELU or QUICK_GELU; dx is overwritten.

#include "common/activations"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let v = x_quad(index);
#if SILU
  let slope = silu_slope(v);
#endif
#if GELU
  let slope = gelu_slope(v);
#endif
#if QUICK_GELU
  let slope = quick_gelu_slope(v);
#endif
  dx_put(index, g_quad(index) * slope + soFar_quad(index));
}
