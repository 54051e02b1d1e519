// 3×3 convolution, channels last, as an implicit matmul: a thread owns TM neighbouring pixels × TN quads of output
// channels and walks taps and input quads, nothing shared.
//
// x [B, H, W, 4·ci4]   w [4·co4, 9, 4·ci4]   y [B, outH, outW, 4·co4] overwritten
// bias [4·co4], rowVector [B, …] (one row of channels per image), residual like y: added when present.
// Tap (ky, kx) of output (oy, ox) reads the padded grid at (oy·stride + ky − pad, ox·stride + kx − pad). With UPSAMPLE
// that grid is gridH × gridW, stretched from x by nearest neighbour: source = floor(grid · size / gridSize).

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let first = (wid.x * WG_X + lid.x) * TM;
  if (first >= P.pixels) { return; }
#for i TM
  let pixel$i = min(first + $iu, P.pixels - 1u);
  let line$i = pixel$i / P.outW;
  let image$i = line$i / P.outH;
  let top$i = (line$i - image$i * P.outH) * P.stride;
  let left$i = (pixel$i - line$i * P.outW) * P.stride;
#end
#for n TN
  let column$n = min(wid.y * TN + $nu, P.co4 - 1u);
#for i TM
  var acc$i_$n = vec4f();
#end
#end
  let row = 9u * P.ci4;
  for (var tap = 0u; tap < 9u; tap++) {
    // Coordinates left of or above the image wrap to huge numbers and fail the bounds test.
    let ky = tap / 3u - P.pad;
    let kx = tap - 3u * (tap / 3u) - P.pad;
#for i TM
    let inside$i = top$i + ky < P.gridH && left$i + kx < P.gridW;
    let base$i = source(image$i, select(0u, top$i + ky, inside$i), select(0u, left$i + kx, inside$i));
#end
#for n TN
    let weight$n = (column$n * 36u + tap) * P.ci4;
#end
    for (var q = 0u; q < P.ci4; q++) {
#for i TM
      let x$i = select(vec4f(), x_quad(base$i + q), inside$i);
#end
#for n TN
      let w$n = mat4x4f(
        w_quad(weight$n + q), w_quad(weight$n + row + q), w_quad(weight$n + 2u * row + q), w_quad(weight$n + 3u * row + q),
      );
#for i TM
      acc$i_$n += x$i * w$n;
#end
#end
    }
  }
#for n TN
#for i TM
  if (first + $iu < P.pixels && wid.y * TN + $nu < P.co4) { store(pixel$i, image$i, column$n, acc$i_$n); }
#end
#end
}

fn source(image: u32, y: u32, x: u32) -> u32 {
#if UPSAMPLE
  return ((image * P.h + y * P.h / P.gridH) * P.w + x * P.w / P.gridW) * P.ci4;
#else
  return ((image * P.h + y) * P.w + x) * P.ci4;
#endif
}

fn store(pixel: u32, image: u32, column: u32, sum: vec4f) {
  let i = pixel * P.co4 + column;
  y_put(i, sum + bias_quad(column) + rowVector_quad(image * P.rowStride + P.rowOffset + column) + residual_quad(i));
}
