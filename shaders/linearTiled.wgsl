// linear (same tensors) with tiles in workgroup memory: 64 rows × 64 columns per workgroup of 128 threads, 8 rows × 4
// columns per thread, 16 contraction steps at a time.
//
// Both tiles lie along the contraction in quads, rows padded by one quad so that the lanes of a wave hit different
// banks. Column 4·tx + n lies at row 16·n + tx of its tile for the same reason. wid.x walks columns, so that
// neighbouring workgroups share their rows; a workgroup's columns lie in one LoRA part.
// With SPLIT, workgroup wid.z contracts over its sliceQuads only and y is the scratch [slices, M, 4·n4] of linearMerge.

#include "common/multiplyAdd"
#include "common/linearForward"

var<workgroup> rowTile: array<array<vec4f, 5>, 64>;
var<workgroup> weightTile: array<array<vec4f, 5>, 64>;

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
  let groupsPerPart = (P.partN4 + 15u) / 16u;
  let part = wid.x / groupsPerPart;
  let firstInPart = (wid.x - part * groupsPerPart) * 16u;
#for j 2
  let row$j = min(wid.y * 64u + loadRow + 32u * $ju, P.M - 1u);
  let channel$j = 4u * part * P.partN4 + min(4u * firstInPart + loadRow + 32u * $ju, 4u * P.partN4 - 1u);
  let slot$j = (loadRow + 32u * $ju) % 4u * 16u + (loadRow + 32u * $ju) / 4u;
#end
  var sums = Sums();
  let end = min((wid.z + 1u) * P.sliceQuads, P.k4);
  for (var k = wid.z * P.sliceQuads; k < end; k += 4u) {
    let quad = min(k + loadQuad, end - 1u);
    workgroupBarrier();
#for j 2
    rowTile[loadRow + 32u * $ju][loadQuad] = select(vec4f(), x_quad(row$j * P.k4 + quad), k + loadQuad < end);
    weightTile[slot$j][loadQuad] = w_quad(channel$j * P.k4 + quad);
#end
    workgroupBarrier();
    sums = multiply_tiles(sums, tx, ty);
  }
#if HAS_H
  // The contraction goes on over the rank, in the last slice.
  let rank = select(0u, P.r4, end == P.k4);
  for (var k = 0u; k < rank; k += 4u) {
    let quad = min(k + loadQuad, P.r4 - 1u);
    workgroupBarrier();
#for j 2
    rowTile[loadRow + 32u * $ju][loadQuad] = select(vec4f(), P.loraScale * h_quad(row$j * P.hStride + part * P.r4 + quad), k + loadQuad < P.r4);
    weightTile[slot$j][loadQuad] = up_quad(channel$j * P.r4 + quad);
#end
    workgroupBarrier();
    sums = multiply_tiles(sums, tx, ty);
  }
#endif
  if (firstInPart + tx >= P.partN4) { return; }
  let column = part * P.partN4 + firstInPart + tx;
#for i 8
  finish(wid.z, wid.y * 64u + ty + 8u * $iu, column, sums.s$i);
#end
}

fn multiply_tiles(sums: Sums, tx: u32, ty: u32) -> Sums {
  var s = sums;
  for (var q = 0u; q < 4u; q++) {
    let block = transpose(mat4x4f(weightTile[tx][q], weightTile[tx + 16u][q], weightTile[tx + 32u][q], weightTile[tx + 48u][q]));
#for i 8
    s.s$i = multiply_add(s.s$i, rowTile[ty + 8u * $iu][q], block);
#end
  }
  return s;
}

fn finish(slice: u32, row: u32, column: u32, sum: vec4f) {
#if SPLIT
  if (row < P.M) { y_put((slice * P.M + row) * P.n4 + column, sum); }
#else
  store(row, column, sum);
#endif
}
