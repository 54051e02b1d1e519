/** The bench itself: runs in a worker of the page, as the engine does in the app. */
import { openGpu } from "../../../src/workers/engine/gpu";
import type { EngineDevice } from "../../../src/engine/device";
import type { BenchOptions, BenchReport, CaseResult, Peak, StepResult } from "../types";
import { CASES, caseName } from "./cases";
import { benchDataset } from "./dataset";
import { jax } from "./jax";
import { measureCase } from "./measure";
import { onnxruntime } from "./onnx";
import { measurePeak } from "./peak";
import { benchSteps } from "./steps";
import { weft } from "./weft";

const log = (text: string) => postMessage({ log: text });

onmessage = async ({ data }: MessageEvent<BenchOptions>) => {
  try {
    postMessage({ report: await bench(data) });
  } catch (error) {
    postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};

async function bench(options: BenchOptions): Promise<BenchReport> {
  const device = await openGpu();
  const scaled = options.size === "scaled" || (options.size === "auto" && device.isSoftware);
  const size = scaled ? "scaled" : "full";
  log(`adapter: ${device.name}`);
  const before = await peakOf(device, options);
  const cases = await benchCases(device, size, options);
  const problems: string[] = [];
  const steps = await benchWholeSteps(device, options).catch((error: unknown) => {
    problems.push(`training steps: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  });
  const dataset = options.parts.includes("dataset")
    ? await benchDataset().catch((error: unknown) => {
        problems.push(`dataset: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      })
    : undefined;
  const peak = before && better(before, await measurePeak(device.gpu, device.isSoftware));
  return { adapter: device.name, isSoftware: device.isSoftware, size, peak, cases, steps, dataset, problems };
}

async function peakOf(device: EngineDevice, { parts }: BenchOptions): Promise<Peak | undefined> {
  return parts.includes("peak") ? measurePeak(device.gpu, device.isSoftware) : undefined;
}

/** A busy or warming machine only ever looks slower than it is: of two measurements the better one is the peak. */
function better(a: Peak, b: Peak): Peak {
  return {
    gflops: Math.max(a.gflops, b.gflops),
    copyGigabytesPerSecond: Math.max(a.copyGigabytesPerSecond, b.copyGigabytesPerSecond),
    dispatchMicroseconds: Math.min(a.dispatchMicroseconds, b.dispatchMicroseconds),
  };
}

async function benchCases(
  device: EngineDevice,
  size: "full" | "scaled",
  options: BenchOptions,
): Promise<CaseResult[]> {
  const contenders = [weft(device), onnxruntime, jax];
  const results: CaseResult[] = [];
  for (const c of CASES[size].filter(({ kind }) => options.parts.includes(kind))) {
    log(caseName(c));
    results.push(await measureCase(c, contenders, options.rounds));
  }
  return results;
}

async function benchWholeSteps(device: EngineDevice, options: BenchOptions): Promise<StepResult[]> {
  if (!options.parts.includes("step")) return [];
  log("training steps of Mini");
  return [await benchSteps(device, options.rounds)];
}
