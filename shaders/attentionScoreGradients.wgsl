// Gradient of the logits of attention, in place of the probabilities: s ← p·(dO·vᵀ − Δ)·scale.
// Four queries × four keys per thread, nothing shared; the same tiling as attentionScores.
//
// grad  [B, Tq, gradStride] quads, columns head·d4
// v     [B, Tk, vStride] quads, columns vOffset + head·d4
// delta [B·heads, tqPad]: Δ = Σ_c dO·O
// s     [groups, rows, keyQuads] update

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let keys = gid.x;
  let first = gid.y * 4u;
  if (keys >= P.keyQuads || first >= P.rows) { return; }
  let group = P.firstGroup + gid.z;
  let image = group / P.heads;
  let column = (group - image * P.heads) * P.d4;
#for j 4
  let v$j = (image * P.tk + min(4u * keys + $ju, P.tk - 1u)) * P.vStride + P.vOffset + column;
#end
#for i 4
  let g$i = (image * P.tq + P.firstRow + min(first + $iu, P.rows - 1u)) * P.gradStride + column;
  var acc$i = vec4f();
#end
  for (var c = 0u; c < P.d4; c++) {
#for j 4
    let b$j = v_quad(v$j + c);
#end
#for i 4
    let a$i = grad_quad(g$i + c);
    acc$i += vec4f(dot(a$i, b0), dot(a$i, b1), dot(a$i, b2), dot(a$i, b3));
#end
  }
#for i 4
  if (first + $iu < P.rows) { store(gid.z, group, first + $iu, keys, acc$i); }
#end
}

fn store(block: u32, group: u32, row: u32, keys: u32, product: vec4f) {
  let place = (block * P.rows + row) * P.keyQuads + keys;
  let delta = delta_at(group * P.tqPad + P.firstRow + row);
  s_put(place, s_quad(place) * (product - delta) * P.scale);
}
