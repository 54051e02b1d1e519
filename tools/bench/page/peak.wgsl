// The adapter's arithmetic peak: CHAINS independent chains of fused multiply-adds per thread, nothing loaded.
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let a = vec4f(0.999f + f32(gid.x) * 1e-9f);
  let b = vec4f(1e-3f);
  var sum = vec4f();
#for c CHAINS
  var c$c = vec4f(f32(gid.x) + $cf);
#end
  for (var i = 0u; i < ROUNDS; i++) {
#for c CHAINS
    c$c = fma(c$c, a, b);
#end
  }
#for c CHAINS
  sum += c$c;
#end
  out[gid.x] = sum;
}
