// y [rows, 4·width] = x[:, 4·offset …] of rows 4·stride wide, + soFar; y is overwritten.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let row = index / P.width;
  let q = index - row * P.width;
  y_put(index, x_quad(row * P.stride + P.offset + q) + soFar_quad(index));
}
