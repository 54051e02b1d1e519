/** `rng`: torch CPU, CUDA ("NV") and variation-seed noise. */
import { createNoiseSource } from "../../../src/base/random/noiseSource";
import type { NoiseSourceKind } from "../../../src/base/random/noiseSource";
import { slerpNoise } from "../../../src/base/random/slerp";
import { TorchGenerator } from "../../../src/base/random/torchGenerator";
import { Checks, toleranceOf } from "../compare";
import type { Tolerance } from "../compare";
import type { VerifyKind } from "../types";

interface NoiseRow {
  source?: NoiseSourceKind;
  seed: number;
  subseed?: number;
  subseed_strength?: number;
  shape: number[];
  first64: number[];
  sum: number;
  sum_sq: number;
  last4: number[];
  second_call_first8?: number[];
  then_randn3?: number[];
}

interface DrawRow {
  seed: number;
  rand8: number[];
  randint0_1000: number[];
  randperm10: number[];
}

/** Sums over thousands of float32 values add their rounding. */
const SUM_LIMIT = { rel: 1e-4, abs: 5e-3 };

function varied(row: NoiseRow, kind: NoiseSourceKind, first: Float32Array): Float32Array {
  if (row.subseed === undefined) return first;
  const second = createNoiseSource(kind, row.subseed).randn(first.length);
  const [channels = 1, height = 1, width = 1] = row.shape;
  return slerpNoise(row.subseed_strength ?? 0, first, second, [channels, height, width]);
}

function checkNoise(row: NoiseRow, kind: NoiseSourceKind, checks: Checks, limit: Tolerance): void {
  const what = `${kind} seed ${row.seed} [${row.shape}]`;
  const source = createNoiseSource(kind, row.seed);
  const noise = varied(row, kind, source.randn(row.shape.reduce((a, b) => a * b, 1)));
  checks.close(`${what} first`, noise.slice(0, 64), row.first64, limit);
  checks.close(`${what} last`, noise.slice(-4), row.last4, limit);
  checks.close(`${what} sum`, [noise.reduce((a, v) => a + v, 0)], [row.sum], SUM_LIMIT);
  checks.close(`${what} sum of squares`, [noise.reduce((a, v) => a + v * v, 0)], [row.sum_sq], SUM_LIMIT);
  if (row.second_call_first8) {
    checks.close(
      `${what} second call`,
      source.randn(noise.length).slice(0, 8),
      row.second_call_first8,
      limit,
    );
  }
  if (row.then_randn3) checks.close(`${what} then 3`, source.randn(3), row.then_randn3, limit);
}

function checkDraws(row: DrawRow, checks: Checks, limit: Tolerance): void {
  const fresh = () => new TorchGenerator(row.seed);
  checks.close(`rand seed ${row.seed}`, fresh().rand(8), row.rand8, limit);
  checks.equal(`randint seed ${row.seed}`, [...fresh().randint(1000, 8)], row.randint0_1000);
  checks.equal(`randperm seed ${row.seed}`, [...fresh().randperm(10)], row.randperm10);
}

export const kind: VerifyKind = {
  name: "rng",
  async run(c) {
    const { params, rows, rand } = c.case as {
      params: { source: NoiseSourceKind };
      rows: NoiseRow[];
      rand?: DrawRow[];
    };
    const checks = new Checks();
    const limit = toleranceOf(c.case);
    for (const row of rows) checkNoise(row, row.source ?? params.source, checks, limit);
    for (const row of rand ?? []) checkDraws(row, checks, limit);
    return checks.outcome();
  },
};
