// Undoes pickRows: dx [B, tokens, 4·width] = soFar, with g [B, 4·width] added at row at[b]; dx is overwritten.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let row = index / P.width;
  let q = index - row * P.width;
  let text = row / P.tokens;
  let token = row - text * P.tokens;
  var sum = soFar_quad(index);
  if (token == min(at_raw(text), P.tokens - 1u)) { sum += g_quad(text * P.width + q); }
  dx_put(index, sum);
}
