// Gradients of both LoRA matrices in one grid, contracted over all M rows in order.
//
// x [M, 4·k4]   g [M, 4·parts·partN4]   h, dh [M, 4·parts·r4]
// downGradient [4·parts·r4, 4·k4] = dhᵀ·x            upGradient [4·parts·partN4, 4·r4] = loraScale·gᵀ·h, part by part
// Both are overwritten, or added to when the step accumulates micro-batches (scalars[ACCUMULATE] is 1).
// A thread owns one quad of the rank (gid.y, over all parts) × TN quads of the wide side: first those of x, then of g.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) gid: vec3u) {
  let hiddenStride = P.parts * P.r4;
  if (gid.y >= hiddenStride) { return; }
  let downThreads = (P.k4 + TN - 1u) / TN;
  if (gid.x < downThreads) { down_gradient(gid.y, gid.x * TN, hiddenStride); } else { up_gradient(gid.y, (gid.x - downThreads) * TN, hiddenStride); }
}

fn down_gradient(hidden: u32, first: u32, hiddenStride: u32) {
#for n TN
  let column$n = min(first + $nu, P.k4 - 1u);
  var sum$n = mat4x4f();
#end
  for (var row = 0u; row < P.M; row++) {
    let narrow = dh_quad(row * hiddenStride + hidden);
#for n TN
    sum$n = add_outer(sum$n, narrow, x_quad(row * P.k4 + column$n));
#end
  }
#for n TN
  if (first + $nu < P.k4) {
    let i = 4u * hidden * P.k4 + column$n;
    put_down(i, sum$n[0]);
    put_down(i + P.k4, sum$n[1]);
    put_down(i + 2u * P.k4, sum$n[2]);
    put_down(i + 3u * P.k4, sum$n[3]);
  }
#end
}

fn up_gradient(hidden: u32, first: u32, hiddenStride: u32) {
  if (first >= P.partN4) { return; }
  let part = hidden / P.r4;
  let gStride = P.parts * P.partN4;
#for n TN
  let column$n = part * P.partN4 + min(first + $nu, P.partN4 - 1u);
  var sum$n = mat4x4f();
#end
  for (var row = 0u; row < P.M; row++) {
    let narrow = h_quad(row * hiddenStride + hidden);
#for n TN
    sum$n = add_outer(sum$n, g_quad(row * gStride + column$n), narrow);
#end
  }
#for n TN
  if (first + $nu < P.partN4) {
    let i = 4u * column$n * P.r4 + hidden - part * P.r4;
    put_up(i, P.loraScale * sum$n[0]);
    put_up(i + P.r4, P.loraScale * sum$n[1]);
    put_up(i + 2u * P.r4, P.loraScale * sum$n[2]);
    put_up(i + 3u * P.r4, P.loraScale * sum$n[3]);
  }
#end
}

// Column e of the result grows by a[e]·b.
fn add_outer(sum: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(fma(a.xxxx, b, sum[0]), fma(a.yyyy, b, sum[1]), fma(a.zzzz, b, sum[2]), fma(a.wwww, b, sum[3]));
}

// What lies there from an earlier step may be NaN: it is chosen or not, never multiplied away.
fn put_down(i: u32, v: vec4f) {
  downGradient_put(i, select(v, v + downGradient_quad(i), scalars_at(ACCUMULATE) == 1f));
}

fn put_up(i: u32, v: vec4f) {
  upGradient_put(i, select(v, v + upGradient_quad(i), scalars_at(ACCUMULATE) == 1f));
}
