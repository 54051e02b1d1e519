// conv3x3 (same tensors, same modes) with tiles in workgroup memory: 64 pixels × 64 output channels per workgroup of
// 128 threads, 8 pixels × 4 channels per thread, 16 input channels of one tap at a time.
//
// Both tiles lie along the contraction in quads, rows padded by one quad so that the lanes of a wave hit different
// banks. Column 4·tx + n lies at row 16·n + tx of its tile for the same reason. wid.x picks the channels, so that
// neighbouring workgroups share their pixels.

#include "common/convForward"

var<workgroup> pixels: array<array<vec4f, 5>, 64>;
var<workgroup> weights: array<array<vec4f, 5>, 64>;

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wid: vec3u) {
  let tx = t % 16u;
  let ty = t / 16u;
  let loadQuad = t % 4u;
  let loadRow = t / 4u;
#for j 2
  let pixel$j = min(wid.y * 64u + loadRow + 32u * $ju, P.pixels - 1u);
  let line$j = pixel$j / P.outW;
  let image$j = line$j / P.outH;
  let top$j = (line$j - image$j * P.outH) * P.stride;
  let left$j = (pixel$j - line$j * P.outW) * P.stride;
  let channel$j = min(wid.x * 64u + loadRow + 32u * $ju, 4u * P.co4 - 1u);
  let slot$j = (loadRow + 32u * $ju) % 4u * 16u + (loadRow + 32u * $ju) / 4u;
#end
#for i 8
  var acc$i = vec4f();
#end
  for (var tap = 0u; tap < 9u; tap++) {
    // Coordinates left of or above the image wrap to huge numbers and fail the bounds test.
    let ky = tap / 3u - P.pad;
    let kx = tap - 3u * (tap / 3u) - P.pad;
#for j 2
    let inside$j = top$j + ky < P.gridH && left$j + kx < P.gridW;
    let base$j = source(image$j, select(0u, top$j + ky, inside$j), select(0u, left$j + kx, inside$j));
    let weight$j = (channel$j * 9u + tap) * P.ci4;
#end
    for (var k = 0u; k < P.ci4; k += 4u) {
      let quad = min(k + loadQuad, P.ci4 - 1u);
      let exists = k + loadQuad < P.ci4;
      workgroupBarrier();
#for j 2
      pixels[loadRow + 32u * $ju][loadQuad] = select(vec4f(), x_quad(base$j + quad), inside$j && exists);
      weights[slot$j][loadQuad] = w_quad(weight$j + quad);
#end
      workgroupBarrier();
      for (var q = 0u; q < 4u; q++) {
        let w = mat4x4f(weights[tx][q], weights[tx + 16u][q], weights[tx + 32u][q], weights[tx + 48u][q]);
#for i 8
        acc$i += pixels[ty + 8u * $iu][q] * w;
#end
      }
    }
  }
  let column = wid.x * 16u + tx;
  if (column >= P.co4) { return; }
#for i 8
  store(wid.y * 64u + ty + 8u * $iu, column, acc$i);
#end
}
