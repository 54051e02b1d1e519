// Sums of squares of a range of the flat gradient buffer: thread t takes quads t, t + threads, … in order.
//
// gradient [4·count]   partial: threads sums from `first` on, overwritten

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= P.threads) { return; }
  var sum = 0f;
  for (var i = gid.x; i < P.count; i += P.threads) {
    let g = gradient_quad(i);
    sum += dot(g, g);
  }
  partial_put1(P.first + gid.x, sum);
}
