// Gradients of the keys and values of attention; threads share work as in attentionLanes.wgsl with the sides swapped:
// each lane owns NK keys and walks all queries, so no sum needs atomics.
//
// q, kv, grad, lse, delta  as in attentionLanesQuery.wgsl
// dkv [B, Tk, kvStride] columns kOffset + head·D4 and vOffset + head·D4 overwritten with the gradients plus `add` (laid
//     out like dkv) when present

#if HAS_KV
fn kv_row(i: u32) -> vec4f { return kv_quad(i); }
#else
fn kv_row(i: u32) -> vec4f { return q_quad(i); }
#endif

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let first = wid.x * NK * LANES + lid.x;
  let image = wid.y / P.heads;
  let column = (wid.y - image * P.heads) * D4;
#for i NK
  let key$i = min(first + $iu * LANES, P.tk - 1u);
  let place$i = (image * P.tk + key$i) * P.kvStride + column;
#for c D4
  let k$i_$c = kv_row(place$i + P.kOffset + $cu) * (P.scale * 1.4426950408889634f);
  let v$i_$c = kv_row(place$i + P.vOffset + $cu);
  var dk$i_$c = vec4f();
  var dv$i_$c = vec4f();
#end
#end
  // With a causal mask the queries before the first key of this workgroup see none of its keys.
  let begin = select(0u, wid.x * NK * LANES, CAUSAL == 1u);
  for (var j = begin; j < P.tq; j += LANES) {
    let query = min(j + lid.x, P.tq - 1u);
    let row = image * P.tq + query;
    let lse = lse_at(wid.y * P.tqPad + query);
    let delta = delta_at(wid.y * P.tqPad + query);
#for c D4
    let q$c = q_quad(row * P.qStride + column + $cu);
    let g$c = grad_quad(row * P.heads * D4 + column + $cu);
#end
#for n LANES
    let lse$n = subgroupBroadcast(lse, $nu);
    let delta$n = subgroupBroadcast(delta, $nu);
#for i NK
    var s$i_$n = 0f;
    var dp$i_$n = 0f;
#end
#for c D4
    let q$n_$c = subgroupBroadcast(q$c, $nu);
    let g$n_$c = subgroupBroadcast(g$c, $nu);
#for i NK
    s$i_$n += dot(k$i_$c, q$n_$c);
    dp$i_$n += dot(v$i_$c, g$n_$c);
#end
#end
#for i NK
    let seen$i_$n = j + $nu < P.tq && (CAUSAL == 0u || key$i <= j + $nu);
    let p$i_$n = select(0f, exp2(s$i_$n - lse$n), seen$i_$n);
    let ds$i_$n = p$i_$n * (dp$i_$n - delta$n);
#for c D4
    dv$i_$c += p$i_$n * g$n_$c;
    dk$i_$c += ds$i_$n * q$n_$c;
#end
#end
#end
  }
#for i NK
  if (first + $iu * LANES < P.tk) {
#for c D4
    dkv_put(place$i + P.kOffset + $cu, dk$i_$c * P.scale + add_quad(place$i + P.kOffset + $cu));
    dkv_put(place$i + P.vOffset + $cu, dv$i_$c + add_quad(place$i + P.vOffset + $cu));
#end
  }
#end
}
