// Gradients of the keys and values of attention on GPUs; threads share work as in attentionTeam.wgsl with the sides
// swapped: a team owns its keys and walks a slice of the queries (wid.z), so no sum needs atomics.
//
// q, kv, grad, lse, delta  as in attentionTeamQuery.wgsl
// dkv [slices, B, Tk, outStride] columns outOffset + k | v: overwritten with the slice's sums plus `add` (laid out like
//     dkv) when present

#include "common/attentionTeam"

var<workgroup> queryTile: array<vec4f, BK * D4>;
var<workgroup> gradTile: array<vec4f, BK * D4>;
// (lse, delta) of the tile's queries.
var<workgroup> statistics: array<vec2f, BK>;

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let t = lid.x;
  let team = t / TEAM;
  let lane = t % TEAM;
  let first = wid.x * NK * TEAMS;
  let image = wid.y / P.heads;
  let column = (wid.y - image * P.heads) * D4;
#for i NK
  let key$i = min(first + $iu * TEAMS + team, P.tk - 1u);
#for s SLICE
  let k$i_$s = kv_row((image * P.tk + key$i) * P.kvStride + P.kOffset + column + $su * TEAM + lane) * (P.scale * 1.4426950408889634f);
  let v$i_$s = kv_row((image * P.tk + key$i) * P.kvStride + P.vOffset + column + $su * TEAM + lane);
  var dk$i_$s = vec4f();
  var dv$i_$s = vec4f();
#end
#end
  // With a causal mask the queries before the first key of this workgroup see none of its keys.
  let unseen = select(0u, first / BK * BK, CAUSAL == 1u);
  let begin = max(wid.z * P.sliceRows, unseen);
  let end = min(P.tq, (wid.z + 1u) * P.sliceRows);
  for (var j = begin; j < end; j += BK) {
    workgroupBarrier();
    for (var n = 0u; n < LOADS; n++) {
      let i = n * 64u + t;
      if (i < BK * D4) {
        let query = i / D4;
        let c = column + i - query * D4;
        let row = image * P.tq + min(j + query, P.tq - 1u);
        queryTile[i] = q_quad(row * P.qStride + c);
        gradTile[i] = grad_quad(row * P.heads * D4 + c);
      }
    }
    if (t < BK) {
      let row = wid.y * P.tqPad + min(j + t, P.tq - 1u);
      statistics[t] = vec2f(lse_at(row), delta_at(row));
    }
    workgroupBarrier();
    for (var b = 0u; b < BK / 2u; b++) {
      let pair = vec2u(j + b * 2u, j + b * 2u + 1u);
#for i NK
      // Two logits and two products dO·v.
      var s$i = vec4f();
#end
#for s SLICE
#for k 2
      let q$k_$s = queryTile[(b * 2u + $ku) * D4 + $su * TEAM + lane];
      let g$k_$s = gradTile[(b * 2u + $ku) * D4 + $su * TEAM + lane];
#end
#for i NK
      s$i += vec4f(dot(k$i_$s, q0_$s), dot(k$i_$s, q1_$s), dot(v$i_$s, g0_$s), dot(v$i_$s, g1_$s));
#end
#end
#for i NK
      offer(t, $iu, s$i);
#end
      meet();
      let row0 = statistics[b * 2u];
      let row1 = statistics[b * 2u + 1u];
#for i NK
      s$i = team_sum(t, $iu, s$i);
      let seen$i = (pair < vec2u(P.tq)) & ((pair >= vec2u(key$i)) | vec2<bool>(CAUSAL == 0u));
      let p$i = select(vec2f(), exp2(s$i.xy - vec2f(row0.x, row1.x)), seen$i);
      let ds$i = p$i * (s$i.zw - vec2f(row0.y, row1.y));
#end
      leave();
#for s SLICE
#for i NK
      dv$i_$s += p$i.x * g0_$s + p$i.y * g1_$s;
      dk$i_$s += ds$i.x * q0_$s + ds$i.y * q1_$s;
#end
#end
    }
  }
#for i NK
  if (first + $iu * TEAMS + team < P.tk) {
    let rows = wid.z * (P.groups / P.heads) * P.tk + image * P.tk;
    let place = (rows + key$i) * P.outStride + P.outOffset + column + lane;
#for s SLICE
    let dkPlace$s = place + $su * TEAM;
    let dvPlace$s = dkPlace$s + P.heads * D4;
    dkv_put(dkPlace$s, dk$i_$s * P.scale + add_quad(dkPlace$s));
    dkv_put(dvPlace$s, dv$i_$s + add_quad(dvPlace$s));
#end
  }
#end
}
