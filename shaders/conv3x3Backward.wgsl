// Gradient of a 3×3 convolution with respect to its input: gathers, for TM neighbouring input pixels × TN quads of
// input channels, the output gradients that read them. No atomics, so the sum has one order.
//
// g [B, outH, outW, 4·co4]   w [4·co4, 9, 4·ci4]   soFar like dx, added when present   dx [B, h, w, 4·ci4] overwritten
// Output o = (y + pad − ky) / stride exists only for every stride-th tap, so wid.z picks one of stride² pixel classes
// (y mod stride, x mod stride) whose taps are known: no tap is tried in vain. With UPSAMPLE (stride 1) an input pixel
// stands for all grid pixels that nearest neighbour maps to it; their gradients are summed before the product.

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let oddY = wid.z / P.stride;
  let oddX = wid.z - oddY * P.stride;
  let classH = (P.h - oddY + P.stride - 1u) / P.stride;
  let classW = (P.w - oddX + P.stride - 1u) / P.stride;
  let count = P.images * classH * classW;
  let first = (wid.x * WG_X + lid.x) * TM;
  if (first >= count) { return; }
#for i TM
  let item$i = min(first + $iu, count - 1u);
  let line$i = item$i / classW;
  let image$i = line$i / classH;
  let y$i = (line$i - image$i * classH) * P.stride + oddY;
  let x$i = (item$i - line$i * classW) * P.stride + oddX;
#if UPSAMPLE
  let span$i = vec4u(grid_begin(y$i, P.outH, P.h), grid_begin(y$i + 1u, P.outH, P.h), grid_begin(x$i, P.outW, P.w), grid_begin(x$i + 1u, P.outW, P.w));
#endif
#end
#for n TN
  let column$n = min(wid.y * TN + $nu, P.ci4 - 1u);
#for i TM
  var acc$i_$n = vec4f();
#end
#end
  let row = 9u * P.ci4;
  for (var ky = (oddY + P.pad) % P.stride; ky < 3u; ky += P.stride) {
    for (var kx = (oddX + P.pad) % P.stride; kx < 3u; kx += P.stride) {
#if !UPSAMPLE
#for i TM
      // Before the first output row or column the difference wraps and fails the bounds test.
      let oy$i = (y$i + P.pad - ky) >> (P.stride - 1u);
      let ox$i = (x$i + P.pad - kx) >> (P.stride - 1u);
      let inside$i = oy$i < P.outH && ox$i < P.outW;
      let base$i = select(0u, ((image$i * P.outH + oy$i) * P.outW + ox$i) * P.co4, inside$i);
#end
#endif
      let tap = ky * 3u + kx;
      for (var q = 0u; q < P.co4; q++) {
#for i TM
#if UPSAMPLE
        let g$i = grid_sum(image$i, span$i, ky, kx, q);
#else
        let g$i = select(vec4f(), g_quad(base$i + q), inside$i);
#endif
#end
        let weight = (q * 36u + tap) * P.ci4;
#for n TN
        let w$n = mat4x4f(
          w_quad(weight + column$n), w_quad(weight + row + column$n), w_quad(weight + 2u * row + column$n), w_quad(weight + 3u * row + column$n),
        );
#for i TM
        acc$i_$n += w$n * g$i;
#end
#end
      }
    }
  }
#for n TN
#for i TM
  if (first + $iu < count && wid.y * TN + $nu < P.ci4) {
    let at$i = ((image$i * P.h + y$i) * P.w + x$i) * P.ci4 + column$n;
    dx_put(at$i, acc$i_$n + soFar_quad(at$i));
  }
#end
#end
}

#if UPSAMPLE
// The first grid coordinate that nearest neighbour maps to `source` or beyond: ceil(source · gridSize / size).
fn grid_begin(source: u32, gridSize: u32, size: u32) -> u32 { return (source * gridSize + size - 1u) / size; }

// Sum of the output gradients that read, through tap (ky, kx), the grid pixels of span = (yBegin, yEnd, xBegin, xEnd).
fn grid_sum(image: u32, span: vec4u, ky: u32, kx: u32, q: u32) -> vec4f {
  var sum = vec4f();
  for (var y = span.x; y < span.y; y++) {
    for (var x = span.z; x < span.w; x++) {
      let oy = y + P.pad - ky;
      let ox = x + P.pad - kx;
      if (oy < P.outH && ox < P.outW) { sum += g_quad(((image * P.outH + oy) * P.outW + ox) * P.co4 + q); }
    }
  }
  return sum;
}
#endif
