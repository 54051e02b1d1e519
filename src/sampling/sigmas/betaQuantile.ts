/** The quantile function of the Beta distribution, for the beta schedules. */

/** Terms of the continued fraction; 30 already give double precision for a, b near 1 and x ≤ 1/2. */
const TERMS = 60;
/** Halvings of [0, 1]; more than a double has bits to tell apart. */
const HALVINGS = 60;

/** The continued fraction of the incomplete beta function (DLMF 8.17.22), summed from its tail. */
function betaFraction(x: number, a: number, b: number): number {
  const coefficient = (k: number) => {
    const m = k >> 1;
    if (k % 2 === 0) return (m * (b - m) * x) / ((a + k - 1) * (a + k));
    return (-(a + m) * (a + b + m) * x) / ((a + k - 1) * (a + k));
  };
  let tail = 1;
  for (let k = TERMS; k >= 1; k--) tail = 1 + coefficient(k) / tail;
  return 1 / tail;
}

/** ∫_0^x τ^(a−1) (1−τ)^(b−1) dτ for x ≤ 1/2. */
function lowerIntegral(x: number, a: number, b: number): number {
  return ((x ** a * (1 - x) ** b) / a) * betaFraction(x, a, b);
}

function betaCdf(x: number, a: number, b: number): number {
  const whole = lowerIntegral(0.5, a, b) + lowerIntegral(0.5, b, a);
  return x <= 0.5 ? lowerIntegral(x, a, b) / whole : 1 - lowerIntegral(1 - x, b, a) / whole;
}

/** x with P(X ≤ x) = probability for X ~ Beta(a, b), by bisection. */
export function betaQuantile(probability: number, a: number, b: number): number {
  if (probability <= 0 || probability >= 1) return probability <= 0 ? 0 : 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (betaCdf(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
