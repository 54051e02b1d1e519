// sum + a·block, where row e of the block holds the weights that contraction step e has for four output columns.
fn multiply_add(sum: vec4f, a: vec4f, block: mat4x4f) -> vec4f {
  return fma(a.wwww, block[3], fma(a.zzzz, block[2], fma(a.yyyy, block[1], fma(a.xxxx, block[0], sum))));
}
