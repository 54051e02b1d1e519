// Matmul without workgroup memory: a thread owns TM neighbouring rows × TN quads of columns and walks K, nothing shared.
//
// x [M, 4·k4]   w [4·n4, 4·k4] (or an f32 parameter)   y [M, 4·n4] overwritten
// y = x·wᵀ + bias + loraScale·h·upᵀ + rowVector + residual; absent inputs add nothing.
// h [M, parts·4·r4] with `parts` = n4 / partN4: columns of part p read columns p·4·r4 … of h.   up [4·n4, 4·r4]
// rowVector [M / rowsPerImage, …] with rowStride quads per image.   residual like y.

#include "common/multiplyAdd"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let firstRow = gid.y * TM;
  let firstColumn = gid.x * TN;
  if (firstRow >= P.M || firstColumn >= P.n4) { return; }
  // The tail repeats the last row and column instead of testing every load.
#for i TM
  let row$i = min(firstRow + $iu, P.M - 1u);
  let base$i = row$i * P.k4;
#end
#for n TN
  let column$n = min(firstColumn + $nu, P.n4 - 1u);
  let weight$n = 4u * column$n * P.k4;
#for i TM
  var sum$i_$n = vec4f();
#end
#end
  for (var q = 0u; q < P.k4; q++) {
#for i TM
    let a$i = x_quad(base$i + q);
#end
#for n TN
    let block$n = w_block(weight$n + q);
#for i TM
    sum$i_$n = multiply_add(sum$i_$n, a$i, block$n);
#end
#end
  }
  // From here on a loop over rows and columns with dynamic bounds: unrolled, it would be most of the code to compile.
  var sums = array<vec4f, TM * TN>(
#for n TN
#for i TM
    sum$i_$n,
#end
#end
  );
  let rows = min(TM, P.M - firstRow);
  for (var n = 0u; n < min(TN, P.n4 - firstColumn); n++) {
    let column = firstColumn + n;
#if HAS_H
    // The contraction goes on over the rank.
    for (var q = 0u; q < P.r4; q++) {
      let block = P.loraScale * up_block(4u * column * P.r4 + q);
      let h = firstRow * P.hStride + column / P.partN4 * P.r4 + q;
      // lint-ok dynamic-index: once per output, see above
      for (var i = 0u; i < rows; i++) { sums[n * TM + i] = multiply_add(sums[n * TM + i], h_quad(h + i * P.hStride), block); }
    }
#endif
    // lint-ok dynamic-index: once per output, see above
    for (var i = 0u; i < rows; i++) { store(firstRow + i, column, sums[n * TM + i]); }
  }
}

// Four rows of weights at one contraction quad, turned so that each column serves one contraction step.
fn w_block(i: u32) -> mat4x4f {
  return transpose(mat4x4f(w_quad(i), w_quad(i + P.k4), w_quad(i + 2u * P.k4), w_quad(i + 3u * P.k4)));
}

fn up_block(i: u32) -> mat4x4f {
  return transpose(mat4x4f(up_quad(i), up_quad(i + P.r4), up_quad(i + 2u * P.r4), up_quad(i + 3u * P.r4)));
}

fn store(row: u32, column: u32, sum: vec4f) {
  let i = row * P.n4 + column;
  y_put(i, sum + bias_quad(column) + rowVector_quad(row / P.rowsPerImage * P.rowStride + column) + residual_quad(i));
}
