// Scores of attention for a block of heads and queries: a matmul of query rows with key rows, four queries × four
// keys per thread, nothing shared.
//
// q  [B, Tq, qStride]  quads; the head's columns begin at head·d4
// kv [B, Tk, kvStride] quads; keys begin at kOffset + head·d4. Absent: keys lie in q's own rows (self-attention).
// s  [groups, rows, keyQuads] overwritten: logits in base 2, or with `lse` [B·heads, tqPad] the probabilities
//    exp2(logit − lse), zero where a key is masked or beyond Tk.
// A group is one head of one image: group = image·heads + head.

#if HAS_KV
fn key_quad(i: u32) -> vec4f { return kv_quad(i); }
#else
fn key_quad(i: u32) -> vec4f { return q_quad(i); }
#endif

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let keys = gid.x;
  let first = gid.y * 4u;
  if (keys >= P.keyQuads || first >= P.rows) { return; }
  let group = P.firstGroup + gid.z;
  let image = group / P.heads;
  let column = (group - image * P.heads) * P.d4;
#for j 4
  let k$j = (image * P.tk + min(4u * keys + $ju, P.tk - 1u)) * P.kvStride + P.kOffset + column;
#end
#for i 4
  let q$i = (image * P.tq + P.firstRow + min(first + $iu, P.rows - 1u)) * P.qStride + column;
  var acc$i = vec4f();
#end
  for (var c = 0u; c < P.d4; c++) {
#for j 4
    let b$j = key_quad(k$j + c);
#end
#for i 4
    let a$i = q_quad(q$i + c);
    acc$i += vec4f(dot(a$i, b0), dot(a$i, b1), dot(a$i, b2), dot(a$i, b3));
#end
  }
#for i 4
  if (first + $iu < P.rows) { store(gid.z, group, first + $iu, keys, acc$i * P.scale); }
#end
}

fn store(block: u32, group: u32, row: u32, keys: u32, logits: vec4f) {
  var value = logits;
#if HAS_LSE
  let query = P.firstRow + row;
  let limit = select(P.tk, min(P.tk, query + 1u), CAUSAL == 1u);
  let key = vec4u(4u * keys) + vec4u(0u, 1u, 2u, 3u);
  value = select(vec4f(), exp2(value - lse_at(group * P.tqPad + query)), key < vec4u(limit));
#endif
  s_put((block * P.rows + row) * P.keyQuads + keys, value);
}
