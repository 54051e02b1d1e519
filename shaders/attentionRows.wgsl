// Rows of attention: out[i] = Σ_j s[i][j]·x[j], four queries × four channels per thread, nothing shared.
// Forward: s = softmax numerators, x = values, `inverse` normalises. Backward: s = score gradients, x = keys, out = dQ.
//
// s   [groups, rows, keyQuads], zero beyond Tk
// x   [B, Tk, xStride] quads, the head's columns begin at xOffset + head·d4
// out [B, Tq, outStride] quads, columns head·d4: overwritten with the sum plus `add` (same layout as out) when present

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let index = wid.x * WG_X + lid.x;
  let tile = index / P.d4;
  let c = index - tile * P.d4;
  let first = tile * 4u;
  if (first >= P.rows) { return; }
  let group = P.firstGroup + wid.z;
  let image = group / P.heads;
  let column = (group - image * P.heads) * P.d4 + c;
  let x0 = image * P.tk * P.xStride + P.xOffset + column;
#for i 4
  let s$i = (wid.z * P.rows + min(first + $iu, P.rows - 1u)) * P.keyQuads;
  var acc$i = vec4f();
#end
  for (var j = 0u; j < P.keyQuads; j++) {
#for b 4
    let v$b = x_quad(x0 + min(4u * j + $bu, P.tk - 1u) * P.xStride);
#end
#for i 4
    let p$i = s_quad(s$i + j);
    acc$i += p$i.x * v0 + p$i.y * v1 + p$i.z * v2 + p$i.w * v3;
#end
  }
  let row = image * P.tq + P.firstRow + first;
#for i 4
  if (first + $iu < P.rows) { store(wid.z * P.rows + first + $iu, (row + $iu) * P.outStride + column, acc$i); }
#end
}

fn store(scoreRow: u32, place: u32, sum: vec4f) {
#if HAS_INVERSE
  out_put(place, sum * inverse_at(scoreRow));
#else
  out_put(place, sum + add_quad(place));
#endif
}
