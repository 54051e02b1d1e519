// Shared by the variants of `linearBackward`. Tensors, in `parts` equal blocks of columns (one for a plain layer):
// g [M, parts·4·n4]   w [parts·4·n4, 4·k4]   dx, soFar [M, parts·4·k4]   dh [M, 4·r4]   down [4·r4, 4·k4]
// dx = scale·g·w block by block + dh·down + soFar, overwritten; absent inputs add nothing. dh goes with parts = 1.

// One quad of columns at four contraction steps.
fn w_block(i: u32) -> mat4x4f { return mat4x4f(w_quad(i), w_quad(i + P.k4), w_quad(i + 2u * P.k4), w_quad(i + 3u * P.k4)); }

fn down_block(i: u32) -> mat4x4f {
  return mat4x4f(down_quad(i), down_quad(i + P.k4), down_quad(i + 2u * P.k4), down_quad(i + 3u * P.k4));
}

// Writes one quad of the result unless the row is behind the last one.
fn store(row: u32, column: u32, sum: vec4f) {
  if (row >= P.M) { return; }
  let i = row * P.parts * P.k4 + column;
  dx_put(i, P.scale * sum + soFar_quad(i));
}
