// Shared by the variants of `linear`. Tensors:
// x [M, 4·k4]   w [4·n4, 4·k4] (or an f32 parameter)   y [M, 4·n4] overwritten
// y = x·wᵀ + bias + loraScale·h·upᵀ + rowVector + residual; absent inputs add nothing.
// h [M, 4·hStride], hStride = parts·r4: output columns of part p (partN4 quads each) read its columns p·4·r4 …
// up [4·n4, 4·r4]   rowVector [M / rowsPerImage, 4·rowStride]   residual like y.

// Four rows of weights at one contraction quad, turned so that each column serves one contraction step.
fn w_block(i: u32) -> mat4x4f {
  return transpose(mat4x4f(w_quad(i), w_quad(i + P.k4), w_quad(i + 2u * P.k4), w_quad(i + 3u * P.k4)));
}

fn up_block(i: u32) -> mat4x4f {
  return P.loraScale * transpose(mat4x4f(up_quad(i), up_quad(i + P.r4), up_quad(i + 2u * P.r4), up_quad(i + 3u * P.r4)));
}

// Writes one quad of the result unless the row is behind the last one.
fn store(row: u32, column: u32, sum: vec4f) {
  if (row >= P.M) { return; }
  let i = row * P.n4 + column;
  y_put(i, sum + bias_quad(column) + rowVector_quad(row / P.rowsPerImage * P.rowStride + column) + residual_quad(i));
}
