/**
 * `npm run bench`: Weft's kernels beside onnxruntime-web and jax-js, on the same adapter in the same run of Chromium,
 * every result checked first; and whole training steps of Mini. `WEFT_ADAPTER=default` lets Chromium use the GPU.
 */
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { ensureBrowser } from "../bootstrap/browser";
import { reportingErrors } from "../lib/errors";
import { runInBrowser } from "./browser";
import { figuresOf, reportText } from "./report";
import type { BenchOptions, Part } from "./types";

const PARTS: readonly Part[] = ["peak", "matmul", "conv", "attention", "step", "dataset"];

interface Flags {
  readonly json?: string;
  readonly only?: Part;
  readonly size: BenchOptions["size"];
  readonly rounds: string;
}

function parseFlags(): Flags {
  return new Command("bench")
    .description("Measures the kernels beside other WebGPU runtimes")
    .option("--json <file>", "also write the report with every round")
    .addOption(new Option("--only <part>", "measure one part (and the peak)").choices(PARTS))
    .addOption(new Option("--size <size>").choices(["auto", "full", "scaled"]).default("auto"))
    .option("--rounds <n>", "timed rounds of each case", "3")
    .parse()
    .opts<Flags>();
}

await reportingErrors(async () => {
  const { json, only, size, rounds } = parseFlags();
  ensureBrowser();
  const parts: readonly Part[] = only === undefined ? PARTS : ["peak", only];
  const report = await runInBrowser({ parts, size, rounds: Number(rounds) });
  process.stdout.write(`${reportText(report)}\n`);
  const lacksWeft = report.cases.some(({ timings }) =>
    timings.some(({ contender, problem }) => contender === "weft" && problem !== undefined),
  );
  if (report.problems.length > 0 || lacksWeft) process.exitCode = 1;
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify({ ...report, figures: figuresOf(report) }, null, 2)}\n`);
});
process.exit();
