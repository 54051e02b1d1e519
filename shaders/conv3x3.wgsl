// 3×3 convolution, channels last, as an implicit matmul over taps and input quads; nothing in shared memory.
//
// x [B, H, W, 4·ci4]   w [4·co4, 9, 4·ci4]   y [B, outH, outW, 4·co4] overwritten
// bias [4·co4], rowVector [B, …] (one row of channels per image), residual like y: added when present.
// Tap (ky, kx) of output (oy, ox) reads the padded grid at (oy·stride + ky − pad, ox·stride + kx − pad). With UPSAMPLE
// that grid is gridH × gridW, stretched from x by nearest neighbour: source = floor(grid · size / gridSize).
//
// A thread reads OWN pixels and owns one quad of output channels. With LANES = 1 it computes that quad for its own
// pixels. Otherwise the workgroup is one subgroup of LANES threads with a quad each, and every pixel read by one of
// them reaches all by broadcast: OWN·LANES pixels × LANES quads for OWN + 4 loads.

#include "common/convForward"

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
#if BROADCAST
  let first = wid.x * WG_X * OWN;
  let wanted = wid.y * WG_X + lid.x;
#else
  let first = (wid.x * WG_X + lid.x) * OWN;
  let wanted = wid.y;
#endif
  if (first >= P.pixels) { return; }
  let column = min(wanted, P.co4 - 1u);
#for i OWN
#if BROADCAST
  let pixel$i = min(first + $iu * WG_X + lid.x, P.pixels - 1u);
#else
  let pixel$i = min(first + $iu, P.pixels - 1u);
#endif
  let line$i = pixel$i / P.outW;
  let image$i = line$i / P.outH;
  let top$i = (line$i - image$i * P.outH) * P.stride;
  let left$i = (pixel$i - line$i * P.outW) * P.stride;
#for l LANES
  var acc$i_$l = vec4f();
#end
#end
  let row = 9u * P.ci4;
  for (var tap = 0u; tap < 9u; tap++) {
    // Coordinates left of or above the image wrap to huge numbers and fail the bounds test.
    let ky = tap / 3u - P.pad;
    let kx = tap - 3u * (tap / 3u) - P.pad;
#for i OWN
    let inside$i = top$i + ky < P.gridH && left$i + kx < P.gridW;
    let base$i = source(image$i, select(0u, top$i + ky, inside$i), select(0u, left$i + kx, inside$i));
#end
    let weight = (column * 36u + tap) * P.ci4;
    for (var q = 0u; q < P.ci4; q++) {
      let w = mat4x4f(
        w_quad(weight + q), w_quad(weight + row + q), w_quad(weight + 2u * row + q), w_quad(weight + 3u * row + q),
      );
#for i OWN
      let x$i = select(vec4f(), x_quad(base$i + q), inside$i);
#for l LANES
#if BROADCAST
      acc$i_$l += subgroupBroadcast(x$i, $lu) * w;
#else
      acc$i_$l += x$i * w;
#endif
#end
#end
    }
  }
  if (wanted >= P.co4) { return; }
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
  for (var i = 0u; i < P.tileRows; i++) { store(first + i, column, sums[i]); }
#else
#for i OWN
#for l LANES
  store(first + $iu * LANES + $lu, column, acc$i_$l);
#end
#end
#endif
}
