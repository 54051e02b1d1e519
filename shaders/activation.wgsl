// y = f(x) on `count` quads, f chosen by SILU, GELU or QUICK_GELU; y is overwritten.

#include "common/activations"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let v = x_quad(index);
#if SILU
  y_put(index, silu(v));
#endif
#if GELU
  y_put(index, gelu(v));
#endif
#if QUICK_GELU
  y_put(index, quick_gelu(v));
#endif
}
