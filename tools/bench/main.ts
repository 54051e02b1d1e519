/**
 * `npm run bench`: Weft's kernels beside onnxruntime-web and jax-js, on the same adapter in the same run of Chromium,
 * every result checked first; whole training steps of Mini; and how
 * far quantised weights are from exact ones. `WEFT_ADAPTER=default` lets Chromium use the GPU.
 */
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { ensureBrowser } from "../bootstrap/browser";
import { reportingErrors } from "../lib/errors";
import { runInBrowser } from "./browser";
import { measureQuantisation, quantisationText } from "./quantisation";
import { figuresOf, reportText } from "./report";
import type { BenchOptions, Part } from "./types";

const PARTS: readonly Part[] = ["peak", "matmul", "conv", "attention", "step", "dataset"];
/** Measured in Node, because golden cases are files. */
const QUANTISATION = "quantisation";

interface Flags {
  readonly json?: string;
  readonly only?: Part | typeof QUANTISATION;
  readonly golden?: string;
  readonly size: BenchOptions["size"];
  readonly rounds: string;
}

function parseFlags(): Flags {
  return new Command("bench")
    .description("Measures the kernels beside other WebGPU runtimes")
    .option("--json <file>", "also write the report with every round")
    .addOption(
      new Option("--only <part>", "measure one part (and the peak)").choices([...PARTS, QUANTISATION]),
    )
    .option("--golden <dir>", "golden cases that quantisation is measured on, besides Mini")
    .addOption(new Option("--size <size>").choices(["auto", "full", "scaled"]).default("auto"))
    .option("--rounds <n>", "timed rounds of each case", "3")
    .parse()
    .opts<Flags>();
}

await reportingErrors(async () => {
  const { json, only, golden, size, rounds } = parseFlags();
  if (only === QUANTISATION) {
    const result = await measureQuantisation(golden, (figure) =>
      process.stdout.write(`${quantisationText(figure)}\n`),
    );
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
    return;
  }
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
