// Gradient that arrives at a LoRA's hidden rows: dh = loraScale·g·up, part by part.
//
// g [M, 4·n4] with n4 = parts·partN4   up [4·n4, 4·r4]   dh [M, parts·4·r4] overwritten
// A thread owns TM rows × one quad of dh and contracts over the output columns of its part.

#include "common/multiplyAdd"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let firstRow = gid.y * TM;
  let stride = P.parts * P.r4;
  if (firstRow >= P.M || gid.x >= stride) { return; }
  let part = gid.x / P.r4;
  let column = gid.x - part * P.r4;
#for i TM
  let row$i = min(firstRow + $iu, P.M - 1u);
  var sum$i = vec4f();
#end
  for (var q = part * P.partN4; q < (part + 1u) * P.partN4; q++) {
    let i = 4u * q * P.r4 + column;
    let block = mat4x4f(up_quad(i), up_quad(i + P.r4), up_quad(i + 2u * P.r4), up_quad(i + 3u * P.r4));
#for i TM
    sum$i = multiply_add(sum$i, g_quad(row$i * P.parts * P.partN4 + q), block);
#end
  }
#for i TM
  if (firstRow + $iu < P.M) { dh_put(row$i * stride + gid.x, P.loraScale * sum$i); }
#end
}
