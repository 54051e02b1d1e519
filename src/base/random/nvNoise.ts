/**
 * The web UI's "NV" noise: the numbers `torch.randn(..., device="cuda")` gives, computed anywhere.
 *
 * Element i of the n-th call uses Philox counter (n, 0, i, 0) and the seed as key; the first two words go
 * through Box-Muller and only the sine half is kept.
 */
import type { NoiseSource } from "./noiseSource";
import { philox4x32, seedWords } from "./philox";

/** The reference's constants are float32 and so not exactly 2⁻³² and 2π·2⁻³². */
const TO_UNIT = Math.fround(2.3283064e-10);
const TO_ANGLE = Math.fround(2.3283064e-10 * 6.2831855);

export function createNvNoise(seed: number): NoiseSource {
  const [key0, key1] = seedWords(seed);
  const words = new Uint32Array(4);
  let call = 0;
  function element(index: number): number {
    philox4x32(words, call, 0, index, 0, key0, key1);
    const [g0 = 0, g1 = 0] = words;
    const u = g0 * TO_UNIT + TO_UNIT / 2;
    const v = g1 * TO_ANGLE + TO_ANGLE / 2;
    return Math.sqrt(-2 * Math.log(u)) * Math.sin(v);
  }
  return {
    randn(count) {
      const out = Float32Array.from({ length: count }, (_, i) => element(i));
      call++;
      return out;
    },
  };
}
