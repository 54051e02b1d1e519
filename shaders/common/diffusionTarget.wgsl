// What the network should have said at quad `index`: the noise ε, or the velocity √ᾱ·ε − √(1−ᾱ)·x0.
fn diffusion_target(index: u32, k: vec4f) -> vec4f {
#if V_PREDICTION
  return k.x * noise_quad(index) - k.y * x0_quad(index);
#else
  return noise_quad(index);
#endif
}
