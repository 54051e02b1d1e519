// Addresses and epilogue of the 3×3 convolution; see conv3x3.wgsl for the tensors.

// First quad of the pixel of x behind grid pixel (y, x).
fn source(image: u32, y: u32, x: u32) -> u32 {
#if UPSAMPLE
  return ((image * P.h + y * P.h / P.gridH) * P.w + x * P.w / P.gridW) * P.ci4;
#else
  return ((image * P.h + y) * P.w + x) * P.ci4;
#endif
}

// Adds what is present and writes one quad; pixels beyond the end are left out.
fn store(pixel: u32, column: u32, sum: vec4f) {
  if (pixel >= P.pixels) { return; }
  let i = pixel * P.co4 + column;
  let row = pixel / (P.outW * P.outH) * P.rowStride + P.rowOffset;
  y_put(i, sum + bias_quad(column) + rowVector_quad(row + column) + residual_quad(i));
}
