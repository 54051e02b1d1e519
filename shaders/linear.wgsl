// Matmul without workgroup memory, over quads of the contraction.
//
// A thread reads OWN rows of x and owns one quad of columns. With LANES = 1 it computes that quad for its own rows.
// Otherwise the workgroup is one subgroup of LANES threads with a quad each, and every row read by one of them reaches
// all by broadcast: OWN·LANES rows × LANES quads for OWN + 4 loads. A workgroup's columns lie in one LoRA part.

#include "common/multiplyAdd"
#include "common/linearForward"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let groupsPerPart = (P.partN4 + LANES - 1u) / LANES;
  let part = wid.y / groupsPerPart;
#if BROADCAST
  let first = wid.x * WG_X * OWN;
  let inPart = (wid.y - part * groupsPerPart) * WG_X + lid.x;
#else
  let first = (wid.x * WG_X + lid.x) * OWN;
  let inPart = wid.y - part * groupsPerPart;
#endif
  if (first >= P.M) { return; }
  let column = part * P.partN4 + min(inPart, P.partN4 - 1u);
#for i OWN
#if BROADCAST
  let row$i = min(first + $iu * WG_X + lid.x, P.M - 1u);
#else
  let row$i = min(first + $iu, P.M - 1u);
#endif
#for l LANES
  var sum$i_$l = vec4f();
#end
#end
  for (var q = 0u; q < P.k4; q++) {
    let block = w_block(4u * column * P.k4 + q);
#for i OWN
    let x$i = x_quad(row$i * P.k4 + q);
#for l LANES
#if BROADCAST
    sum$i_$l = multiply_add(sum$i_$l, subgroupBroadcast(x$i, $lu), block);
#else
    sum$i_$l = multiply_add(sum$i_$l, x$i, block);
#endif
#end
#end
  }
#if HAS_H
  // The contraction goes on over the rank.
  for (var q = 0u; q < P.r4; q++) {
    let block = up_block(4u * column * P.r4 + q);
#for i OWN
    let h$i = h_quad(row$i * P.hStride + part * P.r4 + q);
#for l LANES
#if BROADCAST
    sum$i_$l = multiply_add(sum$i_$l, subgroupBroadcast(h$i, $lu), block);
#else
    sum$i_$l = multiply_add(sum$i_$l, h$i, block);
#endif
#end
#end
  }
#endif
  if (inPart >= P.partN4) { return; }
  // Finished in a loop whose bound the compiler cannot see (OWN·LANES): unrolled, with its eight stores per thread on
  // software adapters, it would be four fifths of the code to compile.
  // lint-ok dynamic-index: once per output, and this kernel is for processors
  var sums = array<vec4f, OWN * LANES>(
#for i OWN
#for l LANES
    sum$i_$l,
#end
#end
  );
  for (var i = 0u; i < P.tileRows; i++) { store(first + i, column, sums[i]); }
}
