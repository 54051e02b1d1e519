// Gradients of both LoRA matrices in one grid, contracted over the rows in order, without workgroup memory.
//
// x [M, 4·k4]   g [M, 4·parts·partN4]   h, dh [M, 4·parts·r4]
// downGradient [4·parts·r4, 4·k4] = dhᵀ·x            upGradient [4·parts·partN4, 4·r4] = loraScale·gᵀ·h, part by part
// Both are overwritten, or added to when the step accumulates micro-batches (scalars[ACCUMULATE] is 1). With `partial`
// [slices, down then up] they are left alone: slice wid.z sums its sliceRows rows there and loraGradientMerge adds up.
//
// A thread owns QUADS quads of the rank × one quad of the wide side: wid.x walks those of x, then those of one part of g.
// With BROADCAST the workgroup is one subgroup: LANES wide quads, and each narrow quad is read once for all of them,
// STEPS rows at a time.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let downGroups = (P.k4 + WG_X - 1u) / WG_X;
  let part = wid.y / (P.r4 / QUADS);
  let narrowStride = P.parts * P.r4;
  let narrow = wid.y * QUADS;
  let begin = wid.z * P.sliceRows;
  let end = min(begin + P.sliceRows, P.M);
  let isDown = wid.x < downGroups;
  let wideQuads = select(P.partN4, P.k4, isDown);
  let wanted = select(wid.x - downGroups, wid.x, isDown) * WG_X + lid.x;
  let wide = min(wanted, wideQuads - 1u);
#for n QUADS
  var sum$n = mat4x4f();
#end
#if BROADCAST
  let ownQuad = narrow + lid.x % QUADS;
  let ownStep = lid.x / QUADS;
#endif
  if (isDown) {
    for (var row = begin; row < end; row += STEPS) {
#if BROADCAST
      let own = select(vec4f(), dh_quad(min(row + ownStep, P.M - 1u) * narrowStride + ownQuad), row + ownStep < end);
#endif
#for s STEPS
      let wide$s = x_quad(min(row + $su, P.M - 1u) * P.k4 + wide);
#for n QUADS
#if BROADCAST
      sum$n = add_outer(sum$n, subgroupBroadcast(own, $su * QUADS + $nu), wide$s);
#else
      sum$n = add_outer(sum$n, dh_quad(row * narrowStride + narrow + $nu), wide$s);
#endif
#end
#end
    }
  } else {
    let gStride = P.parts * P.partN4;
    for (var row = begin; row < end; row += STEPS) {
#if BROADCAST
      let own = select(vec4f(), h_quad(min(row + ownStep, P.M - 1u) * narrowStride + ownQuad), row + ownStep < end);
#endif
#for s STEPS
      let wide$s = g_quad(min(row + $su, P.M - 1u) * gStride + part * P.partN4 + wide);
#for n QUADS
#if BROADCAST
      sum$n = add_outer(sum$n, subgroupBroadcast(own, $su * QUADS + $nu), wide$s);
#else
      sum$n = add_outer(sum$n, h_quad(row * narrowStride + narrow + $nu), wide$s);
#endif
#end
#end
    }
  }
  if (wanted >= wideQuads) { return; }
#for n QUADS
  if (isDown) { store_down(wid.z, narrow + $nu, wide, sum$n); } else { store_up(wid.z, part * P.partN4 + wide, narrow + $nu - part * P.r4, transpose(sum$n)); }
#end
}

// Column e of the result, row e of the gradient, grows by narrow[e]·wide.
fn add_outer(sum: mat4x4f, narrow: vec4f, wide: vec4f) -> mat4x4f {
  return mat4x4f(fma(narrow.xxxx, wide, sum[0]), fma(narrow.yyyy, wide, sum[1]), fma(narrow.zzzz, wide, sum[2]), fma(narrow.wwww, wide, sum[3]));
}

fn store_down(slice: u32, narrow: u32, wide: u32, sum: mat4x4f) {
  for (var e = 0u; e < 4u; e++) {
    let i = (4u * narrow + e) * P.k4 + wide;
#if HAS_PARTIAL
    partial_put(slice * partial_quads() + i, sum[e]);
#else
    downGradient_put(i, select(sum[e], sum[e] + downGradient_quad(i), scalars_at(ACCUMULATE) == 1f));
#endif
  }
}

fn store_up(slice: u32, row: u32, column: u32, sum: mat4x4f) {
  for (var e = 0u; e < 4u; e++) {
    let i = (4u * row + e) * P.r4 + column;
    let v = P.loraScale * sum[e];
#if HAS_PARTIAL
    partial_put(slice * partial_quads() + 4u * P.parts * P.r4 * P.k4 + i, v);
#else
    // What lies there from an earlier step may be NaN: it is chosen or not, never multiplied away.
    upGradient_put(i, select(v, v + upGradient_quad(i), scalars_at(ACCUMULATE) == 1f));
#endif
  }
}

// Quads of one slice: the down gradient, then the up gradient.
fn partial_quads() -> u32 { return 4u * P.r4 * P.parts * (P.k4 + P.partN4); }
