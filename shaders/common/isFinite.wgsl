// Compilers may assume that no NaN exists, so only the exponent bits can tell.
fn is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}
