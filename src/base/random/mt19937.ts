/** The Mersenne twister MT19937 (Matsumoto & Nishimura 1998): the engine of torch's CPU generator. */

const N = 624;
const M = 397;

export class Mt19937 {
  readonly #state = new Uint32Array(N);
  #index = N;

  /** Seeds by `init_genrand`; only the low 32 bits of the seed count. */
  constructor(seed: number) {
    let previous = seed >>> 0;
    this.#state[0] = previous;
    for (let i = 1; i < N; i++) {
      previous = (Math.imul(1812433253, previous ^ (previous >>> 30)) + i) >>> 0;
      this.#state[i] = previous;
    }
  }

  #word(index: number): number {
    return this.#state[index % N] ?? 0;
  }

  #refill(): void {
    for (let i = 0; i < N; i++) {
      const y = (this.#word(i) & 0x80000000) | (this.#word(i + 1) & 0x7fffffff);
      this.#state[i] = this.#word(i + M) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }

  /** The next 32-bit word, tempered. */
  next32(): number {
    if (this.#index >= N) this.#refill();
    let y = this.#word(this.#index++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }
}
