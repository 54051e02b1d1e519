// d = g·f′(v)·gamma, the gradient that arrives at x̂, for one quad.
fn gradient_at_normal(g: vec4f, normal: vec4f, gamma: vec4f, beta: vec4f) -> vec4f {
#if SILU
  return g * silu_slope(normal * gamma + beta) * gamma;
#else
  return g * gamma;
#endif
}
