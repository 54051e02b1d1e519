// Mean squared error of each image from its partial sums, added in order.
//
// partial [B, slices]   coefficients [B, 4]   losses [B, 4] overwritten: weighted, unweighted, 0, 0

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let image = gid.x;
  if (image >= P.images) { return; }
  var sum = 0f;
  for (var slice = 0u; slice < P.slices; slice++) { sum += partial_at(image * P.slices + slice); }
  let mean = sum / P.elements;
  losses_put(image, vec4f(mean * coefficients_quad(image).z, mean, 0f, 0f));
}
