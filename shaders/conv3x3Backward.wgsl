// Gradient of a 3×3 convolution with respect to its input: gathers, for each input pixel and quad of input channels,
// the output gradients that read them. No atomics, so the sum has one order.
//
// g [B, outH, outW, 4·co4]   w [4·co4, 9, 4·ci4]   soFar like dx, added when present   dx [B, h, w, 4·ci4] overwritten
// Output o = (y + pad − ky) / stride exists only for every stride-th tap, so wid.z picks one of stride² pixel classes
// (y mod stride, x mod stride) whose taps are known: no tap is tried in vain. With UPSAMPLE (stride 1) an input pixel
// stands for all grid pixels that nearest neighbour maps to it; their gradients are summed before the product.
// Threads share work as in conv3x3.wgsl.

#include "common/convBackward"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let parity = parity_of(wid.z);
#if BROADCAST
  let first = wid.x * WG_X * OWN;
  let wanted = wid.y * WG_X + lid.x;
#else
  let first = (wid.x * WG_X + lid.x) * OWN;
  let wanted = wid.y;
#endif
  if (first >= parity.count) { return; }
  let column = min(wanted, P.ci4 - 1u);
#for i OWN
#if BROADCAST
  let own$i = pixel_of(parity, first + $iu * WG_X + lid.x);
#else
  let own$i = pixel_of(parity, first + $iu);
#endif
#if UPSAMPLE
  let span$i = grid_span(own$i);
#endif
#for l LANES
  var acc$i_$l = vec4f();
#end
#end
  let row = 9u * P.ci4;
  for (var ky = (parity.oddY + P.pad) % P.stride; ky < 3u; ky += P.stride) {
    for (var kx = (parity.oddX + P.pad) % P.stride; kx < 3u; kx += P.stride) {
#if !UPSAMPLE
#for i OWN
      // Before the first output row or column the difference wraps and fails the bounds test.
      let oy$i = (own$i.y + P.pad - ky) >> (P.stride - 1u);
      let ox$i = (own$i.x + P.pad - kx) >> (P.stride - 1u);
      let inside$i = oy$i < P.outH && ox$i < P.outW;
      let base$i = select(0u, ((own$i.image * P.outH + oy$i) * P.outW + ox$i) * P.co4, inside$i);
#end
#endif
      let tap = ky * 3u + kx;
      for (var q = 0u; q < P.co4; q++) {
        let weight = (q * 36u + tap) * P.ci4 + column;
        let w = mat4x4f(w_quad(weight), w_quad(weight + row), w_quad(weight + 2u * row), w_quad(weight + 3u * row));
#for i OWN
#if UPSAMPLE
        let g$i = grid_sum(own$i.image, span$i, ky, kx, q);
#else
        let g$i = select(vec4f(), g_quad(base$i + q), inside$i);
#endif
#for l LANES
#if BROADCAST
        acc$i_$l += w * subgroupBroadcast(g$i, $lu);
#else
        acc$i_$l += w * g$i;
#endif
#end
#end
      }
    }
  }
  if (wanted >= P.ci4) { return; }
#if ROLLED
  // In a loop whose bound the compiler cannot see; linear.wgsl says why.
  // lint-ok dynamic-index: once per output, and this kernel is for processors
  var sums = array<vec4f, OWN * LANES>(
#for i OWN
#for l LANES
    acc$i_$l,
#end
#end
  );
  for (var i = 0u; i < P.tileRows; i++) { store(parity, first + i, column, sums[i]); }
#else
#for i OWN
#for l LANES
  store(parity, first + $iu * LANES + $lu, column, acc$i_$l);
#end
#end
#endif
}
