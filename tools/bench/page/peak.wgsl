// The adapter's arithmetic peak: eight independent chains of fused multiply-adds per thread, nothing loaded.
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let a = vec4f(0.999f + f32(gid.x) * 1e-9f);
  let b = vec4f(1e-3f);
  var c0 = vec4f(f32(gid.x));
  var c1 = c0 + 1f;
  var c2 = c0 + 2f;
  var c3 = c0 + 3f;
  var c4 = c0 + 4f;
  var c5 = c0 + 5f;
  var c6 = c0 + 6f;
  var c7 = c0 + 7f;
  for (var i = 0u; i < ROUNDS; i++) {
    c0 = fma(c0, a, b);
    c1 = fma(c1, a, b);
    c2 = fma(c2, a, b);
    c3 = fma(c3, a, b);
    c4 = fma(c4, a, b);
    c5 = fma(c5, a, b);
    c6 = fma(c6, a, b);
    c7 = fma(c7, a, b);
  }
  out[gid.x] = ((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7));
}
