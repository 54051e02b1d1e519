// Gradient of a 3×3 convolution with respect to its input: gathers, for each input pixel and quad of input channels,
// the output gradients that read them. No atomics, so the sum has one order.
//
// g [B, outH, outW, 4·co4]   w [4·co4, 9, 4·ci4]   soFar like dx, added when present   dx [B, h, w, 4·ci4] overwritten
// Output o = (y + pad − ky) / stride exists only for every stride-th tap, so wid.z picks one of stride² pixel classes
// (y mod stride, x mod stride) whose taps are known: no tap is tried in vain. With UPSAMPLE (stride 1) an input pixel
// stands for all grid pixels that nearest neighbour maps to it; their gradients are summed before the product.
// Threads share work as in conv3x3.wgsl.

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
#for i OWN
#for l LANES
  store(parity, first + $iu * LANES + $lu, column, acc$i_$l);
#end
#end
}

// Pixels with y mod stride = oddY and x mod stride = oddX, of all images.
struct Parity { oddY: u32, oddX: u32, h: u32, w: u32, count: u32 }

fn parity_of(z: u32) -> Parity {
  let oddY = z / P.stride;
  let oddX = z - oddY * P.stride;
  let h = (P.h - oddY + P.stride - 1u) / P.stride;
  let w = (P.w - oddX + P.stride - 1u) / P.stride;
  return Parity(oddY, oddX, h, w, P.images * h * w);
}

struct Pixel { image: u32, y: u32, x: u32 }

fn pixel_of(parity: Parity, wanted: u32) -> Pixel {
  let item = min(wanted, parity.count - 1u);
  let line = item / parity.w;
  let image = line / parity.h;
  return Pixel(image, (line - image * parity.h) * P.stride + parity.oddY, (item - line * parity.w) * P.stride + parity.oddX);
}

fn store(parity: Parity, item: u32, column: u32, sum: vec4f) {
  if (item >= parity.count) { return; }
  let pixel = pixel_of(parity, item);
  let at = ((pixel.image * P.h + pixel.y) * P.w + pixel.x) * P.ci4 + column;
  dx_put(at, sum + soFar_quad(at));
}

#if UPSAMPLE
fn grid_span(pixel: Pixel) -> vec4u {
  return vec4u(
    grid_begin(pixel.y, P.outH, P.h), grid_begin(pixel.y + 1u, P.outH, P.h),
    grid_begin(pixel.x, P.outW, P.w), grid_begin(pixel.x + 1u, P.outW, P.w),
  );
}

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
