// Sums of squared errors, WG_X · gridX = `slices` per image: slice s takes quads s, s + slices, … in order.
//
// prediction, x0, noise [B, H, W, C]   coefficients [B, 4]   mask [B, H, W], C = 4: one per quad   partial [B, slices] overwritten

#include "common/diffusionTarget"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let slice = gid.x;
  let image = gid.y;
  if (slice >= P.slices) { return; }
  let k = coefficients_quad(image);
  var sum = 0f;
  for (var i = slice; i < P.perImage; i += P.slices) {
    let index = image * P.perImage + i;
    let d = prediction_quad(index) - diffusion_target(index, k);
#if HAS_MASK
    sum += mask_at(index) * dot(d, d);
#else
    sum += dot(d, d);
#endif
  }
  partial_put1(image * P.slices + slice, sum);
}
