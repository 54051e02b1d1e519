fn total(v: vec4f) -> f32 { return v.x + v.y + v.z + v.w; }

// row_statistics by the 64 threads of a workgroup: (mean, 1/√(variance + eps)) of the row that begins at quad `base`.
fn row_statistics(t: u32, base: u32) -> vec2f {
  let shift = x_quad(base).x;
  var sum = vec4f();
  for (var q = t; q < P.width; q += 64u) { sum += x_quad(base + q) - shift; }
  let count = f32(4u * P.width);
  let mean = shift + reduce64(t, vec2f(total(sum), 0f)).x / count;
  var squares = vec4f();
  for (var q = t; q < P.width; q += 64u) {
    let deviation = x_quad(base + q) - mean;
    squares += deviation * deviation;
  }
  return vec2f(mean, inverseSqrt(reduce64(t, vec2f(total(squares), 0f)).x / count + P.eps));
}
