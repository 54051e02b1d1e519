// Attention forward on GPUs with an online softmax. TEAM neighbouring lanes share NQ queries of one head, each holding
// SLICE quads of them (quads lane, lane + TEAM, …); BK keys and values at a time lie in workgroup memory.
//
// q   [B, Tq, qStride] quads; the head's columns begin at head·D4
// kv  [B, Tk, kvStride] quads; keys begin at kOffset, values at vOffset. Absent: they lie in q's own rows.
// o   [B, Tq, heads·D4] overwritten
// lse [B·heads, tqPad]  overwritten: base-2 logarithm of each row's sum of exponentials

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
  var m$i = -1e30f;
  var l$i = 0f;
#for s SLICE
  let q$i_$s = q_quad((image * P.tq + row$i) * P.qStride + column + $su * TEAM + lane) * P.scale;
  var o$i_$s = vec4f();
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
#end
#for s SLICE
#for k 4
      let k$k_$s = keyTile[(b * 4u + $ku) * D4 + $su * TEAM + lane];
#end
#for i NQ
      s$i += vec4f(dot(q$i_$s, k0_$s), dot(q$i_$s, k1_$s), dot(q$i_$s, k2_$s), dot(q$i_$s, k3_$s));
#end
#end
#for i NQ
      offer(t, $iu, s$i);
#end
      meet();
#for i NQ
      s$i = team_sum(t, $iu, s$i);
#end
      leave();
      // Only the last tile holds keys past the end; a causal mask cuts anywhere.
      if (CAUSAL == 1u || j + BK > P.tk) {
        let key = vec4u(j + b * 4u) + vec4u(0u, 1u, 2u, 3u);
#for i NQ
        s$i = select(vec4f(-1e30f), s$i, key < limit$i);
#end
      }
#for i NQ
      let top$i = max(m$i, max(max(s$i.x, s$i.y), max(s$i.z, s$i.w)));
      let shrink$i = exp2(m$i - top$i);
      let p$i = exp2(s$i - top$i);
      m$i = top$i;
      l$i = l$i * shrink$i + ((p$i.x + p$i.y) + (p$i.z + p$i.w));
#end
#for s SLICE
#for k 4
      let v$k_$s = valueTile[(b * 4u + $ku) * D4 + $su * TEAM + lane];
#end
#for i NQ
      o$i_$s = o$i_$s * shrink$i + p$i.x * v0_$s + p$i.y * v1_$s + p$i.z * v2_$s + p$i.w * v3_$s;
#end
#end
    }
  }
#for i NQ
  if (first + $iu * TEAMS + team < P.tq) {
    let place = (image * P.tq + row$i) * P.heads * D4 + column + lane;
#for s SLICE
    o_put(place + $su * TEAM, o$i_$s / l$i);
#end
    if (lane == 0u) { lse_put1(wid.y * P.tqPad + row$i, m$i + log2(l$i)); }
  }
#end
}
