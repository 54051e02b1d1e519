// The total gradient norm and what the update does with it, by one thread.
//
// partial [count]   scalars: see stepScalars.ts   report [4] overwritten: norm, 1 when the update is skipped, factor, 0
// factor: clipping and the loss scale in one; gradients are multiplied by it.

#include "common/isFinite"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x != 0u) { return; }
  var sum = 0f;
  for (var i = 0u; i < P.count; i++) { sum += partial_at(i); }
  let scale = 1f / scalars_at(P.lossScaleIndex);
  let norm = sqrt(sum) * scale;
  let limit = scalars_at(P.maxGradNormIndex);
  let clip = select(1f, min(1f, limit / (norm + 1e-6f)), limit > 0f);
  let skipped = select(1f, 0f, is_finite(norm));
  report_put(0u, vec4f(norm, skipped, clip * scale, 0f));
}
