// linearBackward (same tensors, one part) with tiles in workgroup memory: 64 rows × 64 columns per workgroup of 128
// threads, 8 rows × 4 columns per thread, 16 contraction steps at a time.
//
// The gradient's tile lies along the contraction, padded by one quad; the weights' tile has one row per contraction
// step, as in memory. With SPLIT, workgroup wid.z contracts over its sliceQuads only and dx is the scratch
// [slices, M, 4·k4] of linearMerge.

#include "common/multiplyAdd"
#include "common/linearBackward"

var<workgroup> rowTile: array<array<vec4f, 5>, 64>;
var<workgroup> weightTile: array<array<vec4f, 16>, 16>;

struct Sums {
#for i 8
  s$i: vec4f,
#end
}

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wid: vec3u) {
  let tx = t % 16u;
  let ty = t / 16u;
  let loadQuad = t % 4u;
  let loadRow = t / 4u;
  let column = min(wid.x * 16u + tx, P.k4 - 1u);
#for j 2
  let row$j = min(wid.y * 64u + loadRow + 32u * $ju, P.M - 1u);
#end
  var sums = Sums();
  let end = min((wid.z + 1u) * P.sliceQuads, P.n4);
  for (var n = wid.z * P.sliceQuads; n < end; n += 4u) {
    let quad = min(n + loadQuad, end - 1u);
    workgroupBarrier();
#for j 2
    rowTile[loadRow + 32u * $ju][loadQuad] = select(vec4f(), g_quad(row$j * P.n4 + quad), n + loadQuad < end);
    weightTile[ty + 8u * $ju][tx] = w_quad(min(4u * n + ty + 8u * $ju, 4u * P.n4 - 1u) * P.k4 + column);
#end
    workgroupBarrier();
    sums = multiply_tiles(sums, tx, ty);
  }
#if HAS_DH
  // The contraction goes on over the rank, in the last slice.
  let rank = select(0u, P.r4, end == P.n4);
  for (var n = 0u; n < rank; n += 4u) {
    let quad = min(n + loadQuad, P.r4 - 1u);
    workgroupBarrier();
#for j 2
    rowTile[loadRow + 32u * $ju][loadQuad] = select(vec4f(), dh_quad(row$j * P.r4 + quad), n + loadQuad < P.r4);
    weightTile[ty + 8u * $ju][tx] = down_quad(min(4u * n + ty + 8u * $ju, 4u * P.r4 - 1u) * P.k4 + column);
#end
    workgroupBarrier();
    sums = multiply_tiles(sums, tx, ty);
  }
#endif
  if (wid.x * 16u + tx >= P.k4) { return; }
#for i 8
  finish(wid.z, wid.y * 64u + ty + 8u * $iu, column, sums.s$i);
#end
}

fn multiply_tiles(sums: Sums, tx: u32, ty: u32) -> Sums {
  var s = sums;
  for (var q = 0u; q < 4u; q++) {
    let block = mat4x4f(weightTile[4u * q][tx], weightTile[4u * q + 1u][tx], weightTile[4u * q + 2u][tx], weightTile[4u * q + 3u][tx]);
#for i 8
    s.s$i = multiply_add(s.s$i, rowTile[ty + 8u * $iu][q], block);
#end
  }
  return s;
}

fn finish(slice: u32, row: u32, column: u32, sum: vec4f) {
#if SPLIT
  if (row < P.M) { dx_put((slice * P.M + row) * P.k4 + column, sum); }
#else
  store(row, column, sum);
#endif
}
