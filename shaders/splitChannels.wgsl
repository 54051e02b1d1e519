// Undoes a concatenation: a = x[:, :4·widthA] + soFar, b = x[:, 4·widthA:]; both are overwritten.
//
// x [rows, 4·(widthA + widthB)], `count` quads   a, soFar [rows, 4·widthA]   b [rows, 4·widthB]

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let width = P.widthA + P.widthB;
  let row = index / width;
  let q = index - row * width;
  if (q < P.widthA) {
    let i = row * P.widthA + q;
    a_put(i, x_quad(index) + soFar_quad(i));
  } else {
    b_put(row * P.widthB + q - P.widthA, x_quad(index));
  }
}
