/**
 * Three kinds of tests: `unit` needs only Node; `gpu` (`*.gpu.test.ts`) runs kernels on a device, one file at a time; `slow`
 * (`*.slow.test.ts`, `npm run test:slow`) compiles many variants of every kernel and is no part of `npm test`.
 */
import { defineConfig } from "vitest/config";

const include = (suffix: string) => [`src/**/*${suffix}`, `tools/**/*${suffix}`];

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: include(".test.ts"),
          exclude: [...include(".gpu.test.ts"), ...include(".slow.test.ts")],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "gpu",
          include: include(".gpu.test.ts"),
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "slow",
          include: include(".slow.test.ts"),
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
