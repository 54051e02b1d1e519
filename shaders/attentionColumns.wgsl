// Columns of attention: out[j] = Σ_i s[i][j]·x[i], eight keys × four channels per thread, nothing shared.
// s = probabilities, x = output gradients gives dV; s = score gradients, x = queries gives dK.
//
// s   [groups, rows, keyQuads]
// x   [B, Tq, xStride] quads, columns xOffset + head·d4
// out [B, Tk, outStride] quads, columns outOffset + head·d4: overwritten with the sum plus `add` when present
// acc [B, Tk, accStride] quads, f32: carries the sum over blocks of queries, in order; absent when there is one block

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let index = wid.x * WG_X + lid.x;
  let tile = index / P.d4;
  let c = index - tile * P.d4;
  if (tile * 2u >= P.keyQuads) { return; }
  let group = P.firstGroup + wid.z;
  let image = group / P.heads;
  let column = (group - image * P.heads) * P.d4 + c;
  let x0 = (image * P.tq + P.firstRow) * P.xStride + P.xOffset + column;
  let s0 = wid.z * P.rows * P.keyQuads + tile * 2u;
  let s1 = wid.z * P.rows * P.keyQuads + min(tile * 2u + 1u, P.keyQuads - 1u);
#for j 8
  var acc$j = vec4f();
#end
  for (var i = 0u; i < P.rows; i++) {
    let v = x_quad(x0 + i * P.xStride);
    let a = s_quad(s0 + i * P.keyQuads);
    let b = s_quad(s1 + i * P.keyQuads);
    acc0 += a.x * v;
    acc1 += a.y * v;
    acc2 += a.z * v;
    acc3 += a.w * v;
    acc4 += b.x * v;
    acc5 += b.y * v;
    acc6 += b.z * v;
    acc7 += b.w * v;
  }
#for j 8
  store(image, tile * 8u + $ju, column, acc$j);
#end
}

fn store(image: u32, key: u32, column: u32, sum: vec4f) {
  if (key >= P.tk) { return; }
  let place = (image * P.tk + key) * P.outStride + P.outOffset + column;
#if HAS_ACC
  let kept = (image * P.tk + key) * P.accStride + P.accOffset + column;
  var total = sum;
  if (P.firstRow > 0u) { total += acc_quad(kept); }
  if (P.last == 1u) {
    out_put(place, total + add_quad(place));
  } else {
    acc_put(kept, total);
  }
#else
  out_put(place, sum + add_quad(place));
#endif
}
