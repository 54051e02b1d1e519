/** Python's `random.Random(seed)` as sd-scripts uses it, for comparing with its recorded results. */
import type { CaptionRandom } from "../captionPlan";

const N = 624;

/** MT19937 seeded by `init_by_array` (Matsumoto & Nishimura 2002) with the words of the seed. */
export class PythonRandom implements CaptionRandom {
  #state = new Uint32Array(N);
  #index = N;

  /** @param seed below 2³² */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, spread(at(state, i - 1))) + i;
    let i = 1;
    const advance = (): void => {
      if (++i < N) return;
      state[0] = at(state, N - 1);
      i = 1;
    };
    for (let k = 0; k < N; k++, advance())
      state[i] = (at(state, i) ^ Math.imul(spread(at(state, i - 1)), 1664525)) + seed;
    for (let k = 0; k < N - 1; k++, advance())
      state[i] = (at(state, i) ^ Math.imul(spread(at(state, i - 1)), 1566083941)) - i;
    state[0] = 0x80000000;
  }

  uniform(): number {
    const high = this.#next() >>> 5;
    return (high * 2 ** 26 + (this.#next() >>> 6)) / 2 ** 53;
  }

  dropout(): number {
    return this.uniform();
  }

  below(n: number): number {
    const bits = 32 - Math.clz32(n);
    let drawn = n;
    while (drawn >= n) drawn = this.#next() >>> (32 - bits);
    return drawn;
  }

  #next(): number {
    if (this.#index >= N) this.#refill();
    let y = at(this.#state, this.#index++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < N; i++) {
      const y = (at(state, i) & 0x80000000) | (at(state, (i + 1) % N) & 0x7fffffff);
      state[i] = at(state, (i + 397) % N) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }
}

function at(state: Uint32Array, index: number): number {
  return state[index] ?? 0;
}

function spread(word: number): number {
  return word ^ (word >>> 30);
}
