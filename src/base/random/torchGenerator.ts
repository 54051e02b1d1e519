/**
 * torch's CPU generator: the numbers of `torch.randn`, `rand`, `randint` and `randperm` after `manual_seed`.
 *
 * Equal to torch but for the last bits of log and cos, which differ between CPUs there too.
 */
import { Mt19937 } from "./mt19937";
import type { NoiseSource } from "./noiseSource";

/** From this size torch fills blocks of 16 in float32; below it works value by value in double precision. */
const BLOCK = 16;
const HALF = BLOCK / 2;

export class TorchGenerator implements NoiseSource {
  readonly #engine: Mt19937;
  /** The sine half of the last scalar Box-Muller pair, kept for the next scalar draw. */
  #spare: number | undefined;

  constructor(seed: number) {
    this.#engine = new Mt19937(seed);
  }

  /** Uniform in [0, 1) with 24 bits, as float32 tensors get. */
  #uniform24(): number {
    return (this.#engine.next32() & 0xffffff) / 2 ** 24;
  }

  /** Uniform in [0, 1) with 53 bits; the first draw is the high word. */
  #uniform53(): number {
    const high = this.#engine.next32() & 0x1fffff;
    return (high * 2 ** 32 + this.#engine.next32()) / 2 ** 53;
  }

  #scalarNormal(): number {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    const angle = 2 * Math.PI * this.#uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#uniform53()));
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Box-Muller over 16 uniforms in place: cosines to the first half, sines to the second. */
  #transformBlock(x: Float32Array): void {
    for (let j = 0; j < HALF; j++) {
      const radius = Math.sqrt(-2 * Math.log(1 - (x[j] ?? 0)));
      const angle = 2 * Math.PI * (x[j + HALF] ?? 0);
      x[j] = radius * Math.cos(angle);
      x[j + HALF] = radius * Math.sin(angle);
    }
  }

  #fillBlocks(out: Float32Array): void {
    out.set(this.rand(out.length));
    for (let at = 0; at + BLOCK <= out.length; at += BLOCK)
      this.#transformBlock(out.subarray(at, at + BLOCK));
    if (out.length % BLOCK === 0) return;
    const tail = out.subarray(out.length - BLOCK); // overlaps finished values: torch overwrites them as well
    tail.set(this.rand(BLOCK));
    this.#transformBlock(tail);
  }

  /** `torch.randn(count)`, float32. */
  randn(count: number): Float32Array {
    if (count < BLOCK) return Float32Array.from({ length: count }, () => this.#scalarNormal());
    const out = new Float32Array(count);
    this.#fillBlocks(out);
    return out;
  }

  /** `torch.rand(count)`, float32 in [0, 1). */
  rand(count: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.#uniform24());
  }

  /** `torch.randint(0, high, [count])` for high < 2³². */
  randint(high: number, count: number): Int32Array {
    return Int32Array.from({ length: count }, () => this.#engine.next32() % high);
  }

  /** `torch.randperm(n)`. */
  randperm(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < n - 1; i++) {
      const j = i + (this.#engine.next32() % (n - i));
      const picked = order[j] ?? 0;
      order[j] = order[i] ?? 0;
      order[i] = picked;
    }
    return order;
  }
}
