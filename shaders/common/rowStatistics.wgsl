// (mean, 1/√(variance + eps)) of the row of x that begins at quad `base`. The first value is taken off before summing
// and deviations are squared in a second pass, so a mean far above the spread costs no digits.
fn row_statistics(base: u32) -> vec2f {
  let shift = x_quad(base).x;
  var sum = vec4f();
  for (var q = 0u; q < P.width; q++) { sum += x_quad(base + q) - shift; }
  let count = f32(4u * P.width);
  let mean = shift + (sum.x + sum.y + sum.z + sum.w) / count;
  var squares = vec4f();
  for (var q = 0u; q < P.width; q++) {
    let deviation = x_quad(base + q) - mean;
    squares += deviation * deviation;
  }
  return vec2f(mean, inverseSqrt((squares.x + squares.y + squares.z + squares.w) / count + P.eps));
}
