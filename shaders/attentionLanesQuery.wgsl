// Gradient of the queries of attention; threads share work as in attentionLanes.wgsl. Each lane owns NQ queries and
// walks all keys, so no sum needs atomics.
//
// q, kv      as in attentionLanes.wgsl
// grad       [B, Tq, heads·D4]: gradient of the output
// lse, delta [B·heads, tqPad]: row statistics of the forward pass; Σ_c dO·O
// dq         [B, Tq, qStride] columns head·D4 overwritten with the gradient plus `add` (laid out like dq) when present

#if HAS_KV
fn kv_row(i: u32) -> vec4f { return kv_quad(i); }
#else
fn kv_row(i: u32) -> vec4f { return q_quad(i); }
#endif

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let first = wid.x * NQ * LANES + lid.x;
  let image = wid.y / P.heads;
  let column = (wid.y - image * P.heads) * D4;
#for i NQ
  let row$i = min(first + $iu * LANES, P.tq - 1u);
  let limit$i = select(P.tk, min(P.tk, row$i + 1u), CAUSAL == 1u);
  let lse$i = lse_at(wid.y * P.tqPad + row$i);
  let delta$i = delta_at(wid.y * P.tqPad + row$i);
#for c D4
  let q$i_$c = q_quad((image * P.tq + row$i) * P.qStride + column + $cu) * (P.scale * 1.4426950408889634f);
  let g$i_$c = grad_quad((image * P.tq + row$i) * P.heads * D4 + column + $cu);
  var dq$i_$c = vec4f();
#end
#end
  let keys = image * P.tk * P.kvStride + column;
  let end = select(P.tk, min(P.tk, (wid.x + 1u) * NQ * LANES), CAUSAL == 1u);
  for (var j = 0u; j < end; j += LANES) {
    let own = keys + min(j + lid.x, P.tk - 1u) * P.kvStride;
#for c D4
    let k$c = kv_row(own + P.kOffset + $cu);
    let v$c = kv_row(own + P.vOffset + $cu);
#end
#for n LANES
#for i NQ
    var s$i_$n = 0f;
    var dp$i_$n = 0f;
#end
#for c D4
    let k$n_$c = subgroupBroadcast(k$c, $nu);
    let v$n_$c = subgroupBroadcast(v$c, $nu);
#for i NQ
    s$i_$n += dot(q$i_$c, k$n_$c);
    dp$i_$n += dot(g$i_$c, v$n_$c);
#end
#end
#for i NQ
    let ds$i_$n = select(0f, exp2(s$i_$n - lse$i) * (dp$i_$n - delta$i), j + $nu < limit$i);
#for c D4
    dq$i_$c += ds$i_$n * k$n_$c;
#end
#end
#end
  }
#for i NQ
  if (first + $iu * LANES < P.tq) {
    let place = (image * P.tq + row$i) * P.qStride + column;
#for c D4
    dq_put(place + $cu, dq$i_$c * P.scale + add_quad(place + $cu));
#end
  }
#end
}
