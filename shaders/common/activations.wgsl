// Activation functions and their derivatives on quads. exp never sees more than 80, so nothing overflows.

fn sigmoid(v: vec4f) -> vec4f { return 1f / (1f + exp(-max(v, vec4f(-80f)))); }

fn silu(v: vec4f) -> vec4f { return v * sigmoid(v); }
fn silu_slope(v: vec4f) -> vec4f { let s = sigmoid(v); return s * (1f + v * (1f - s)); }

// CLIP's fast approximation: v·σ(1.702 v).
fn quick_gelu(v: vec4f) -> vec4f { return v * sigmoid(1.702f * v); }
fn quick_gelu_slope(v: vec4f) -> vec4f { let s = sigmoid(1.702f * v); return s * (1f + 1.702f * v * (1f - s)); }

// The normal distribution function by Abramowitz & Stegun 7.1.26 (|error| ≤ 7.5e-8), from the small tail on both sides.
fn normal_cdf(v: vec4f) -> vec4f {
  let t = 1f / (1f + 0.2316418882f * abs(v));
  let p = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  let tail = 0.5f * p * exp(-0.5f * min(v * v, vec4f(160f)));
  return select(1f - tail, tail, v < vec4f());
}

fn gelu(v: vec4f) -> vec4f { return v * normal_cdf(v); }
fn gelu_slope(v: vec4f) -> vec4f {
  return normal_cdf(v) + v * 0.3989422804f * exp(-0.5f * min(v * v, vec4f(160f)));
}
