// y = f((x − mean)·rstd·gamma + beta), f = SiLU with SILU, else the identity; y is overwritten. One thread per channel
// quad and run of `chunkRows` rows (pixels), so that the group's numbers are fetched once per run.
//
// x, y [images, rows, 4·width]

#include "common/activations"
#include "common/rowChunks"
#include "common/groupStatistics"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let chunk = row_chunk(index);
  let q = chunk.q;
  let stats = group_statistics(chunk.image, q);
  let scale = stats.rstd * gamma_quad(q);
  let offset = beta_quad(q);
  for (var row = chunk.begin; row < chunk.end; row++) {
    let at = row_at(chunk, row);
    // The mean is subtracted first: folding it into the offset would cancel digits when it is far above the spread.
    let v = (x_quad(at) - stats.mean) * scale + offset;
#if SILU
    y_put(at, silu(v));
#else
    y_put(at, v);
#endif
  }
}
