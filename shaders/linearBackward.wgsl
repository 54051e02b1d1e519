// Gradient of a linear layer's input, without workgroup memory: TM rows × TN quads of columns per thread.
//
// g [M, 4·n4]   w [4·n4, 4·k4]   dh [M, 4·r4]   down [4·r4, 4·k4]   dx, soFar [M, 4·k4]
// dx = g·w + dh·down + soFar, overwritten; dh (with its LoRA factor already in it) and soFar add nothing when absent.

#include "common/multiplyAdd"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let firstRow = gid.y * TM;
  let firstColumn = gid.x * TN;
  if (firstRow >= P.M || firstColumn >= P.k4) { return; }
#for i TM
  let row$i = min(firstRow + $iu, P.M - 1u);
  let base$i = row$i * P.n4;
#end
#for n TN
  let column$n = min(firstColumn + $nu, P.k4 - 1u);
#for i TM
  var sum$i_$n = vec4f();
#end
#end
  for (var q = 0u; q < P.n4; q++) {
#for i TM
    let a$i = g_quad(base$i + q);
#end
#for n TN
    let block$n = w_block(4u * q * P.k4 + column$n);
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
  for (var n = 0u; n < min(TN, P.k4 - firstColumn); n++) {
    let column = firstColumn + n;
#if HAS_DH
    // The contraction goes on over the rank.
    for (var q = 0u; q < P.r4; q++) {
      let block = down_block(4u * q * P.k4 + column);
      let dh = firstRow * P.r4 + q;
      // lint-ok dynamic-index: once per output, see above
      for (var i = 0u; i < rows; i++) { sums[n * TM + i] = multiply_add(sums[n * TM + i], dh_quad(dh + i * P.r4), block); }
    }
#endif
    for (var i = 0u; i < rows; i++) {
      let at = (firstRow + i) * P.k4 + column;
      // lint-ok dynamic-index: once per output, see above
      dx_put(at, sums[n * TM + i] + soFar_quad(at));
    }
  }
}

fn w_block(i: u32) -> mat4x4f { return mat4x4f(w_quad(i), w_quad(i + P.k4), w_quad(i + 2u * P.k4), w_quad(i + 3u * P.k4)); }

fn down_block(i: u32) -> mat4x4f {
  return mat4x4f(down_quad(i), down_quad(i + P.k4), down_quad(i + 2u * P.k4), down_quad(i + 3u * P.k4));
}
