// Attention forward with an online softmax, for small heads on software adapters. The workgroup is one subgroup; each
// lane keeps NQ queries in registers, reads one key and one value row of every LANES, and gets the others by broadcast.
//
// q   [B, Tq, qStride] quads; the head's columns begin at head·D4
// kv  [B, Tk, kvStride] quads; keys begin at kOffset, values at vOffset. Absent: they lie in q's own rows.
// o   [B, Tq, heads·D4] overwritten
// lse [B·heads, tqPad]  overwritten: base-2 logarithm of each row's sum of exponentials

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
  var m$i = -1e30f;
  var l$i = 0f;
#for c D4
  let q$i_$c = q_quad((image * P.tq + row$i) * P.qStride + column + $cu) * P.scale;
  var o$i_$c = vec4f();
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
#end
#for c D4
    let k$n_$c = subgroupBroadcast(k$c, $nu);
#for i NQ
    s$i_$n += dot(q$i_$c, k$n_$c);
#end
#end
#end
#for i NQ
    var top$i = m$i;
#for n LANES
    s$i_$n = select(-1e30f, s$i_$n, j + $nu < limit$i);
    top$i = max(top$i, s$i_$n);
#end
    let shrink$i = exp2(m$i - top$i);
    m$i = top$i;
    l$i *= shrink$i;
#for n LANES
    let p$i_$n = exp2(s$i_$n - top$i);
    l$i += p$i_$n;
#end
#for c D4
    o$i_$c *= shrink$i;
#end
#end
#for n LANES
#for c D4
    let v$n_$c = subgroupBroadcast(v$c, $nu);
#for i NQ
    o$i_$c += p$i_$n * v$n_$c;
#end
#end
#end
  }
#for i NQ
  if (first + $iu * LANES < P.tq) {
    let place = (image * P.tq + row$i) * P.heads * D4 + column;
#for c D4
    o_put(place + $cu, o$i_$c / l$i);
#end
    lse_put1(wid.y * P.tqPad + row$i, m$i + log2(l$i));
  }
#end
}
