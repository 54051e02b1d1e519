/**
 * NumPy's SeedSequence (after O'Neill's seed_seq_fe) with a pool of 24 words: many independent seeds from one.
 * Brownian noise uses it to seed every node of its tree.
 */
import { seedWords } from "./philox";

const POOL = 24;
const INIT_A = 0x43b0d7e5;
const MULT_A = 0x931e8875;
const INIT_B = 0x8b51f9dd;
const MULT_B = 0x58f38ded;
const MIX_LEFT = 0xca01f9dd;
const MIX_RIGHT = 0x4973f715;

/** A hash whose constant moves on with every use. */
function createHash(init: number, multiplier: number): (value: number) => number {
  let constant = init;
  return (value) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, multiplier);
    const product = Math.imul(mixed, constant);
    return (product ^ (product >>> 16)) >>> 0;
  };
}

function mix(x: number, y: number): number {
  const z = (Math.imul(MIX_LEFT, x) - Math.imul(MIX_RIGHT, y)) >>> 0;
  return (z ^ (z >>> 16)) >>> 0;
}

function entropyWords(seed: number, key: readonly number[]): number[] {
  const [low, high] = seedWords(seed);
  const words = high === 0 ? [low] : [low, high];
  if (key.length === 0) return words;
  return [...words, ...Array<number>(POOL - words.length).fill(0), ...key];
}

function mixedPool(entropy: readonly number[]): Uint32Array {
  const hash = createHash(INIT_A, MULT_A);
  const pool = Uint32Array.from({ length: POOL }, (_, i) => hash(entropy[i] ?? 0));
  const absorb = (into: number, value: number) => (pool[into] = mix(pool[into] ?? 0, hash(value)));
  for (let source = 0; source < POOL; source++) {
    for (let into = 0; into < POOL; into++) if (into !== source) absorb(into, pool[source] ?? 0);
  }
  for (const extra of entropy.slice(POOL)) for (let into = 0; into < POOL; into++) absorb(into, extra);
  return pool;
}

/**
 * @param seed a safe integer ≥ 0.
 * @param key which of the seed's children, as 32-bit words; empty for the seed's own sequence.
 * @returns the first `count` words of its state.
 */
export function seedSequence(seed: number, key: readonly number[], count: number): Uint32Array {
  const pool = mixedPool(entropyWords(seed, key));
  const hash = createHash(INIT_B, MULT_B);
  return Uint32Array.from({ length: count }, (_, i) => hash(pool[i % POOL] ?? 0));
}
