/** Two kinds of tests: `unit` needs only Node; `gpu` (`*.gpu.test.ts`) runs kernels on a device, one file at a time. */
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
          exclude: include(".gpu.test.ts"),
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
    ],
  },
});
