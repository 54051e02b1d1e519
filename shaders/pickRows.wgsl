// y [B, 4·width] = x[b, at[b]] of x [B, tokens, 4·width]; y is overwritten. An index beyond the end takes the last row.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let text = index / P.width;
  let q = index - text * P.width;
  let token = min(at_raw(text), P.tokens - 1u);
  y_put(index, x_quad((text * P.tokens + token) * P.width + q));
}
