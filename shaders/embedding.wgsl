// y [B, T, 4·width] = table[ids[b, t]] + position[t]; y is overwritten. An id beyond the table takes the last row.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let token = index / P.width;
  let q = index - token * P.width;
  let id = min(ids_raw(token), P.rows - 1u);
  y_put(index, table_quad(id * P.width + q) + position_quad((token % P.tokens) * P.width + q));
}
