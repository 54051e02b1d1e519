/**
 * The noise schedule of Stable Diffusion: "scaled linear" betas, 1000 steps.
 *
 *   β_t = (√0.00085 + t (√0.012 − √0.00085) / 999)²,   ᾱ_t = Π_{s ≤ t} (1 − β_s)
 *
 * There are two of it in the world, a few float32 roundings apart: the trainer's (float32 betas) and the one
 * in checkpoints, which samplers use (float64, rounded at the end).
 */

export const TRAIN_TIMESTEPS = 1000;
const BETA_START = 0.00085;
const BETA_END = 0.012;

/** Vector width of the reference's linspace; it decides where float32 roundings fall. */
const LANES = 8;

/**
 * `torch.linspace(start, end, count)` in float32, bit for bit: from the start for the first half and from the end
 * for the second, the first lane of each vector by a fused multiply-add (one rounding), the others relative to it.
 */
function linspaceFloat32(start: number, end: number, count: number): Float32Array {
  const f = Math.fround;
  const [first, last] = [f(start), f(end)];
  const step = f(f(last - first) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) => {
    const lane = i % LANES;
    const base = i - lane;
    const origin = base < count / 2 ? f(first + step * base) : f(last - step * (count - 1 - base));
    return f(origin + f(step * lane));
  });
}

/** β as the trainer has them: float32, [1000]. */
export function betas(): Float32Array {
  return linspaceFloat32(Math.sqrt(BETA_START), Math.sqrt(BETA_END), TRAIN_TIMESTEPS).map(
    (root) => root * root,
  );
}

/** ᾱ for training: float32 betas, the product accumulated in double precision as torch's CPU cumprod does, [1000]. */
export function alphasCumprod(): Float32Array {
  return cumulativeAlphas(betas());
}

/** ᾱ of any float32 betas. */
export function cumulativeAlphas(beta: Float32Array): Float32Array {
  let product = 1;
  return beta.map((b) => (product *= Math.fround(1 - b)));
}

/** ᾱ as checkpoints and samplers have it, before rounding to float32, [1000]. */
export function exactAlphasCumprod(): Float64Array {
  const [first, last] = [Math.sqrt(BETA_START), Math.sqrt(BETA_END)];
  let product = 1;
  return Float64Array.from({ length: TRAIN_TIMESTEPS }, (_, t) => {
    const root = first + (t * (last - first)) / (TRAIN_TIMESTEPS - 1);
    return (product *= 1 - root * root);
  });
}

/** Signal-to-noise ratio ᾱ / (1 − ᾱ) per timestep. */
export function snr(alphas: Float32Array): Float32Array {
  return alphas.map((alpha) => {
    const root = Math.fround(Math.sqrt(alpha)) / Math.fround(Math.sqrt(Math.fround(1 - alpha)));
    return Math.fround(root) ** 2;
  });
}
