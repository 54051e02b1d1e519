// Softmax numerators of attention, in place; one row (query of one head) per thread.
//
// s       [groups, rows, keyQuads] update: base-2 logits become exp2(logit − row maximum), masked keys become 0
// inverse [groups·rows]            overwritten: 1 ÷ sum of the row
// lse     [B·heads, tqPad]         overwritten for these rows: maximum + log2(sum), which the backward pass needs

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let block = index / P.rows;
  let query = P.firstRow + index - block * P.rows;
  let limit = select(P.tk, min(P.tk, query + 1u), CAUSAL == 1u);
  let base = index * P.keyQuads;
  // Quads whole inside the limit, then at most one that is cut.
  let whole = limit / 4u;
  let cut = vec4u(4u * whole) + vec4u(0u, 1u, 2u, 3u) < vec4u(limit);
  var top = vec4f(-1e30f);
  for (var j = 0u; j < whole; j++) { top = max(top, s_quad(base + j)); }
  if (whole < P.keyQuads) { top = max(top, select(vec4f(-1e30f), s_quad(base + whole), cut)); }
  let maximum = max(max(top.x, top.y), max(top.z, top.w));
  var sum = vec4f();
  for (var j = 0u; j < whole; j++) {
    let p = exp2(s_quad(base + j) - maximum);
    s_put(base + j, p);
    sum += p;
  }
  if (whole < P.keyQuads) {
    let p = select(vec4f(), exp2(s_quad(base + whole) - maximum), cut);
    s_put(base + whole, p);
    sum += p;
  }
  for (var j = whole + 1u; j < P.keyQuads; j++) { s_put(base + j, vec4f()); }
  let total = (sum.x + sum.y) + (sum.z + sum.w);
  inverse_put1(index, 1f / total);
  lse_put1((P.firstGroup + block) * P.tqPad + query, maximum + log2(total));
}
