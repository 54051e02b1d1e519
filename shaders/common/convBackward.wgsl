// Pixel classes, addresses and epilogue of the convolution's gradient; see conv3x3Backward.wgsl for the tensors.

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
