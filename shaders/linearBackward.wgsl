// Gradient of a linear layer's input, without workgroup memory. Threads share rows as in linear.wgsl.

#include "common/multiplyAdd"
#include "common/linearBackward"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let groupsPerPart = (P.k4 + LANES - 1u) / LANES;
  let part = wid.y / groupsPerPart;
#if BROADCAST
  let first = wid.x * WG_X * OWN;
  let inPart = (wid.y - part * groupsPerPart) * WG_X + lid.x;
#else
  let first = (wid.x * WG_X + lid.x) * OWN;
  let inPart = wid.y - part * groupsPerPart;
#endif
  if (first >= P.M) { return; }
  let column = min(inPart, P.k4 - 1u);
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
  for (var q = part * P.n4; q < (part + 1u) * P.n4; q++) {
    let block = w_block(4u * q * P.k4 + column);
#for i OWN
    let g$i = g_quad(row$i * P.parts * P.n4 + q);
#for l LANES
#if BROADCAST
    sum$i_$l = multiply_add(sum$i_$l, subgroupBroadcast(g$i, $lu), block);
#else
    sum$i_$l = multiply_add(sum$i_$l, g$i, block);
#endif
#end
#end
  }
#if HAS_DH
  // The contraction goes on over the rank.
  for (var q = 0u; q < P.r4; q++) {
    let block = down_block(4u * q * P.k4 + column);
#for i OWN
    let dh$i = dh_quad(row$i * P.r4 + q);
#for l LANES
#if BROADCAST
    sum$i_$l = multiply_add(sum$i_$l, subgroupBroadcast(dh$i, $lu), block);
#else
    sum$i_$l = multiply_add(sum$i_$l, dh$i, block);
#endif
#end
#end
  }
#endif
  if (inPart >= P.k4) { return; }
  // In a loop whose bound the compiler cannot see; linear.wgsl says why.
  // lint-ok dynamic-index: once per output, and this kernel is for processors
  var sums = array<vec4f, OWN * LANES>(
#for i OWN
#for l LANES
    sum$i_$l,
#end
#end
  );
  for (var i = 0u; i < P.tileRows; i++) { store(first + i, part * P.k4 + column, sums[i]); }
}
