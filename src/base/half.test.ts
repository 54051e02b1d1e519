import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bf16ToFloats, f16ToF32, f32ToF16, floatsToBf16, floatsToHalf, halfToFloats } from "./half";

const ALL = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const isHalfNan = (bits: number) => (bits & 0x7fff) > 0x7c00;
const isBf16Nan = (bits: number) => (bits & 0x7fff) > 0x7f80;

/** Value of a finite, positive half, from the definition of the format. */
function defined(bits: number): number {
  const exponent = bits >> 10;
  const fraction = bits & 0x3ff;
  return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
}

describe("f16", () => {
  test("all 65,536 patterns survive the way to float32 and back", () => {
    const floats = halfToFloats(ALL);
    const back = floatsToHalf(floats);
    const wrong = [...ALL].filter((bits) => {
      if (isHalfNan(bits)) return !Number.isNaN(floats[bits]) || !isHalfNan(back[bits] ?? 0);
      return floats[bits] !== f16ToF32(bits) || back[bits] !== bits;
    });
    expect(wrong).toEqual([]);
  });

  test("values follow the format's definition", () => {
    const finite = ALL.subarray(0, 0x7c00);
    const wrong = finite.filter(
      (bits) => f16ToF32(bits) !== defined(bits) || f16ToF32(bits | 0x8000) !== -defined(bits),
    );
    expect(wrong).toHaveLength(0);
    expect(f16ToF32(0x7c00)).toBe(Infinity);
  });

  test("rounding: between neighbours the nearer wins, the middle goes to the even one", () => {
    const wrong = [];
    for (let low = 0; low < 0x7bff; low++) {
      const high = low + 1;
      const middle = (defined(low) + defined(high)) / 2; // exact in float32
      const nudge = (defined(high) - defined(low)) / 1024;
      const even = low % 2 === 0 ? low : high;
      const got = [f32ToF16(middle - nudge), f32ToF16(middle), f32ToF16(middle + nudge)];
      if (got[0] !== low || got[1] !== even || got[2] !== high) wrong.push(low);
    }
    expect(wrong).toEqual([]);
  });

  test("overflow, infinities and underflow", () => {
    expect(f32ToF16(65519.99)).toBe(0x7bff);
    expect(f32ToF16(65520)).toBe(0x7c00);
    expect(f32ToF16(-Infinity)).toBe(0xfc00);
    expect(f32ToF16(2 ** -25)).toBe(0);
    expect(f32ToF16(2 ** -25 * 1.0001)).toBe(1);
    expect(f32ToF16(-0)).toBe(0x8000);
  });
});

describe("bf16", () => {
  test("all patterns survive the way to float32 and back", () => {
    const back = floatsToBf16(bf16ToFloats(ALL));
    const wrong = [...ALL].filter((bits) =>
      isBf16Nan(bits) ? !isBf16Nan(back[bits] ?? 0) : back[bits] !== bits,
    );
    expect(wrong).toEqual([]);
  });

  test("rounding keeps within half a step and prefers the even pattern", () => {
    expect(floatsToBf16(Float32Array.of(1 + 2 ** -8))[0]).toBe(0x3f80);
    expect(floatsToBf16(Float32Array.of(1 + 3 * 2 ** -8))[0]).toBe(0x3f82);
    const max = Math.fround(3e38);
    const property = fc.property(fc.float({ noNaN: true, min: -max, max }), (x) => {
      const rounded = bf16ToFloats(floatsToBf16(Float32Array.of(x)))[0] ?? Number.NaN;
      expect(Math.abs(rounded - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -8 + 1e-38);
    });
    fc.assert(property, { numRuns: 500 });
  });
});
