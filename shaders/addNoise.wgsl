// x_t = √ᾱ·x0 + √(1−ᾱ)·ε on `count` quads; y is overwritten.
//
// x0, noise [B, H, W, C]   coefficients [B, 4]: √ᾱ, √(1−ᾱ), loss weight, 0   perImage: quads of one image

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let k = coefficients_quad(index / P.perImage);
  y_put(index, k.x * x0_quad(index) + k.y * noise_quad(index));
}
