// Gradient of the queries of attention on GPUs; threads share work as in attentionTeam.wgsl. A team owns its queries
// and walks all keys, so no sum needs atomics.
//
// q, kv      as in attentionTeam.wgsl
// grad       [B, Tq, heads·D4]: gradient of the output
// lse, delta [B·heads, tqPad]: row statistics of the forward pass; Σ_c dO·O
// dq         [B, Tq, qStride] columns head·D4 overwritten with the gradient plus `add` (laid out like dq) when present

#include "common/attentionTeam"

var<workgroup> keyTile: array<vec4f, BK * D4>;
var<workgroup> valueTile: array<vec4f, BK * D4>;

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let t = lid.x;
  let team = t / TEAM;
  let lane = t % TEAM;
  let first = wid.x * NQ * TEAMS;
  let image = wid.y / P.heads;
  let column = (wid.y - image * P.heads) * D4;
#for i NQ
  let row$i = min(first + $iu * TEAMS + team, P.tq - 1u);
  let limit$i = vec4u(select(P.tk, min(P.tk, row$i + 1u), CAUSAL == 1u));
  let lse$i = lse_at(wid.y * P.tqPad + row$i);
  let delta$i = delta_at(wid.y * P.tqPad + row$i);
#for s SLICE
  let q$i_$s = q_quad((image * P.tq + row$i) * P.qStride + column + $su * TEAM + lane) * (P.scale * 1.4426950408889634f);
  let g$i_$s = grad_quad((image * P.tq + row$i) * P.heads * D4 + column + $su * TEAM + lane);
  var dq$i_$s = vec4f();
#end
#end
  let keys = image * P.tk * P.kvStride + column;
  let end = select(P.tk, min(P.tk, first + NQ * TEAMS), CAUSAL == 1u);
  for (var j = 0u; j < end; j += BK) {
    workgroupBarrier();
    for (var n = 0u; n < LOADS; n++) {
      let i = n * 64u + t;
      if (i < BK * D4) {
        let key = i / D4;
        let place = keys + min(j + key, P.tk - 1u) * P.kvStride + i - key * D4;
        keyTile[i] = kv_row(place + P.kOffset);
        valueTile[i] = kv_row(place + P.vOffset);
      }
    }
    workgroupBarrier();
    for (var b = 0u; b < BK / 4u; b++) {
#for i NQ
      var s$i = vec4f();
      var dp$i = vec4f();
#end
#for s SLICE
#for k 4
      let k$k_$s = keyTile[(b * 4u + $ku) * D4 + $su * TEAM + lane];
      let v$k_$s = valueTile[(b * 4u + $ku) * D4 + $su * TEAM + lane];
#end
#for i NQ
      s$i += vec4f(dot(q$i_$s, k0_$s), dot(q$i_$s, k1_$s), dot(q$i_$s, k2_$s), dot(q$i_$s, k3_$s));
      dp$i += vec4f(dot(g$i_$s, v0_$s), dot(g$i_$s, v1_$s), dot(g$i_$s, v2_$s), dot(g$i_$s, v3_$s));
#end
#end
#for i NQ
      offer(t, 2u * $iu, s$i);
      offer(t, 2u * $iu + 1u, dp$i);
#end
      meet();
      let key = vec4u(j + b * 4u) + vec4u(0u, 1u, 2u, 3u);
#for i NQ
      s$i = team_sum(t, 2u * $iu, s$i);
      dp$i = team_sum(t, 2u * $iu + 1u, dp$i);
      let ds$i = select(vec4f(), exp2(s$i - lse$i) * (dp$i - delta$i), key < limit$i);
#end
      leave();
#for s SLICE
#for i NQ
      dq$i_$s += ds$i.x * k0_$s + ds$i.y * k1_$s + ds$i.z * k2_$s + ds$i.w * k3_$s;
#end
#end
    }
  }
#for i NQ
  if (first + $iu * TEAMS + team < P.tq) {
    let place = (image * P.tq + row$i) * P.qStride + column + lane;
#for s SLICE
    dq_put(place + $su * TEAM, dq$i_$s * P.scale + add_quad(place + $su * TEAM));
#end
  }
#end
}
