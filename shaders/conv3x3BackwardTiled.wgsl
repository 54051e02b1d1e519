// conv3x3Backward (same tensors, same modes) with tiles in workgroup memory: 64 input pixels × 64 input channels per
// workgroup of 128 threads, 8 pixels × 4 channels per thread, 16 output channels of one tap at a time.
//
// Weight rows are the contraction here, so their tile keeps the quads along the input channels as they lie in memory.

#include "common/convBackward"

var<workgroup> gradients: array<array<vec4f, 5>, 64>;
var<workgroup> weights: array<array<vec4f, 16>, 16>;

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wid: vec3u) {
  let tx = t % 16u;
  let ty = t / 16u;
  let loadQuad = t % 4u;
  let loadRow = t / 4u;
  let parity = parity_of(wid.z);
  if (wid.y * 64u >= parity.count) { return; }
#for j 2
  let own$j = pixel_of(parity, wid.y * 64u + loadRow + 32u * $ju);
#if UPSAMPLE
  let span$j = grid_span(own$j);
#endif
#end
  let weightColumn = min(wid.x * 16u + tx, P.ci4 - 1u);
#for i 8
  var acc$i = vec4f();
#end
  for (var ky = (parity.oddY + P.pad) % P.stride; ky < 3u; ky += P.stride) {
    for (var kx = (parity.oddX + P.pad) % P.stride; kx < 3u; kx += P.stride) {
#if !UPSAMPLE
#for j 2
      // Before the first output row or column the difference wraps and fails the bounds test.
      let oy$j = (own$j.y + P.pad - ky) >> (P.stride - 1u);
      let ox$j = (own$j.x + P.pad - kx) >> (P.stride - 1u);
      let inside$j = oy$j < P.outH && ox$j < P.outW;
      let base$j = select(0u, ((own$j.image * P.outH + oy$j) * P.outW + ox$j) * P.co4, inside$j);
#end
#endif
      let tap = ky * 3u + kx;
      for (var k = 0u; k < P.co4; k += 4u) {
        let quad = min(k + loadQuad, P.co4 - 1u);
        let exists = k + loadQuad < P.co4;
        workgroupBarrier();
#for j 2
#if UPSAMPLE
        gradients[loadRow + 32u * $ju][loadQuad] = select(vec4f(), grid_sum(own$j.image, span$j, ky, kx, quad), exists);
#else
        gradients[loadRow + 32u * $ju][loadQuad] = select(vec4f(), g_quad(base$j + quad), inside$j && exists);
#endif
        weights[ty + 8u * $ju][tx] = w_quad((min(4u * k + ty + 8u * $ju, 4u * P.co4 - 1u) * 9u + tap) * P.ci4 + weightColumn);
#end
        workgroupBarrier();
        for (var q = 0u; q < 4u; q++) {
          let w = mat4x4f(weights[4u * q][tx], weights[4u * q + 1u][tx], weights[4u * q + 2u][tx], weights[4u * q + 3u][tx]);
#for i 8
          acc$i += w * gradients[ty + 8u * $iu][q];
#end
        }
      }
    }
  }
  let column = wid.x * 16u + tx;
  if (column >= P.ci4) { return; }
#for i 8
  store(parity, wid.y * 64u + ty + 8u * $iu, column, acc$i);
#end
}
