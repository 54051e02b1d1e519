/** Element types of the safetensors format and their size in bits. */

const BITS = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E5M2FNUZ: 8,
  F8_E4M3FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type Dtype = keyof typeof BITS;

export function isDtype(text: string): text is Dtype {
  return Object.hasOwn(BITS, text);
}

/** Bits of one element; the F4 and F6 types pack several elements into whole bytes. */
export function dtypeBits(dtype: Dtype): number {
  return BITS[dtype];
}

/**
 * The reference writer's order of types inside a file, widest alignment first
 * (U64 I64 F64 C64 F32 U32 I32 BF16 F16 U16 I16 F8 I8 U8 ... BOOL), so that every tensor stays aligned.
 */
const WRITE_ORDER: readonly Dtype[] = [
  "U64",
  "I64",
  "F64",
  "C64",
  "F32",
  "U32",
  "I32",
  "BF16",
  "F16",
  "U16",
  "I16",
  "F8_E4M3FNUZ",
  "F8_E5M2FNUZ",
  "F8_E8M0",
  "F8_E4M3",
  "F8_E5M2",
  "I8",
  "U8",
  "F6_E3M2",
  "F6_E2M3",
  "F4",
  "BOOL",
];

/** Rank of a type in the reference writer's order; lower is written first. */
export function writeRank(dtype: Dtype): number {
  return WRITE_ORDER.indexOf(dtype);
}
