/**
 * 16-bit floats: IEEE half (f16) and bfloat16 to and from float32.
 * Pure bit arithmetic, so the same bits come out on every engine; inputs and outputs are raw 16-bit patterns.
 */

const scratch = new DataView(new ArrayBuffer(4));

/** Float value of one f16 bit pattern. */
export function f16ToF32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** f16 bit pattern nearest to `value`, ties to even; overflow gives infinity, NaN stays a quiet NaN. */
export function f32ToF16(value: number): number {
  scratch.setFloat32(0, value);
  return halfBits(scratch.getUint32(0));
}

/** f32 bit pattern to f16 bit pattern. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and above, infinity included
  // Normal halves: move the exponent bias from 127 to 15 and drop 13 bits; a carry out of the fraction is right.
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13);
  // Subnormal halves: the 24-bit significand counted in steps of 2^-24. Below 2^-25 all is zero.
  if (magnitude < 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, shift);
}

/** value / 2^shift rounded to the nearest integer, ties to even. */
function roundShift(value: number, shift: number): number {
  const half = (1 << (shift - 1)) - 1;
  return (value + half + ((value >>> shift) & 1)) >>> shift;
}

/** All 65,536 values once; a lookup is several times faster than the arithmetic. */
let table: Float32Array<ArrayBuffer> | null = null;

function halfTable(): Float32Array<ArrayBuffer> {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => f16ToF32(bits));
  return table;
}

/** f16 bit patterns to floats, exactly. */
export function halfToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = halfTable();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = values[halves[i] ?? 0] ?? 0;
  return out;
}

/** Floats to f16 bit patterns, nearest, ties to even. */
export function floatsToHalf(floats: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const out = new Uint16Array(floats.length);
  for (let i = 0; i < out.length; i++) out[i] = halfBits(bits[i] ?? 0);
  return out;
}

/** bf16 bit patterns to floats, exactly: bf16 is the upper half of a float32. */
export function bf16ToFloats(patterns: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(patterns.length);
  for (let i = 0; i < bits.length; i++) bits[i] = (patterns[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/** Floats to bf16 bit patterns, nearest, ties to even; NaN stays a quiet NaN. */
export function floatsToBf16(floats: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const out = new Uint16Array(floats.length);
  for (let i = 0; i < out.length; i++) out[i] = bf16Bits(bits[i] ?? 0);
  return out;
}

function bf16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
