// AdamW (Loshchilov & Hutter 2019) in torch's order on a range of the flat buffers; value and both moments in place.
//
// value, moment1, moment2, gradient [4·count]   report [4] from gradientNorm: nothing changes when it says skipped
// Quads before `textQuads` (text encoder) use its own learning rate.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  let state = report_quad(0u);
  if (index >= P.count || state.y != 0f) { return; }
  let rate = select(scalars_at(LEARNING_RATE), scalars_at(TEXT_LEARNING_RATE), index < P.textQuads);
  let beta1 = scalars_at(BETA1);
  let beta2 = scalars_at(BETA2);
  let g = state.z * gradient_quad(index);
  let m = beta1 * moment1_quad(index) + (1f - beta1) * g;
  let v = beta2 * moment2_quad(index) + (1f - beta2) * g * g;
  let decayed = value_quad(index) * (1f - rate * scalars_at(WEIGHT_DECAY));
  let denominator = sqrt(v) / scalars_at(BIAS_CORRECTION2_SQRT) + scalars_at(EPSILON);
  value_put(index, decayed - rate / scalars_at(BIAS_CORRECTION1) * m / denominator);
  moment1_put(index, m);
  moment2_put(index, v);
}
