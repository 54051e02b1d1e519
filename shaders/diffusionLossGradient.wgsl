// Gradient of the mean weighted loss: 2·mask·weight·(prediction − target)/(elements·B) · lossScale; y is overwritten.
//
// prediction, x0, noise [B, H, W, C]   coefficients [B, 4]   mask [B, H, W], C = 4: one per quad   scale = 2/(elements·B)

#include "common/diffusionTarget"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let k = coefficients_quad(index / P.perImage);
  var factor = P.scale * k.z * scalars_at(P.lossScaleIndex);
#if HAS_MASK
  factor *= mask_at(index);
#endif
  y_put(index, factor * (prediction_quad(index) - diffusion_target(index, k)));
}
