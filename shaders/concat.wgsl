// y [rows, 4·(widthA + widthB)] = a [rows, 4·widthA] beside b [rows, 4·widthB]; y is overwritten.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let width = P.widthA + P.widthB;
  let row = index / width;
  let q = index - row * width;
  if (q < P.widthA) {
    y_put(index, a_quad(row * P.widthA + q));
  } else {
    y_put(index, b_quad(row * P.widthB + q - P.widthA));
  }
}
