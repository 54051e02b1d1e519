/**
 * How far quantised weights move predictions and LoRA gradients from those of exact weights: one training step of every
 * golden case there is, with its own LoRA, and one of Mini. In Node, on the best adapter there is.
 */
import path from "node:path";
import { EngineDevice } from "../../src/engine/device";
import type { ActivationType, WeightType } from "../../src/engine/tensor";
import type { LoadedModel } from "../../src/models/loadedModel";
import { openCheckpoint } from "../../src/models/openCheckpoint";
import { requestNodeDevice } from "../lib/device";
import { openFileSource } from "../lib/fileSource";
import { root } from "../lib/process";
import { findCaseFolders, kindOf, loadCase } from "../verify/cases";
import { params } from "../verify/gpu/goldenModel";
import { goldenStep, unbuiltOption } from "../verify/gpu/goldenStep";
import type { VerifyCase } from "../verify/types";
import { MINI, miniStep } from "./miniStep";

const STORAGES = [
  { weightType: "f16", activationType: "f16" },
  { weightType: "q8", activationType: "f32" },
  { weightType: "q8", activationType: "f16" },
  { weightType: "q4", activationType: "f32" },
  { weightType: "q4", activationType: "f16" },
] as const satisfies readonly Storage[];

interface Storage {
  readonly weightType: WeightType;
  readonly activationType: ActivationType;
}

/** One step's numbers, all gradients in one list of fixed order. */
interface StepValues {
  readonly prediction: Float32Array;
  readonly gradients: Float32Array;
}

export interface QuantisationFigure extends Storage {
  readonly case: string;
  /** Relative L2 error against f32 weights and activations. */
  readonly prediction: number;
  readonly gradients: number;
  /** Bytes of the weights on the GPU, of those the step reads. */
  readonly weightBytes: number;
}

type Step = (model: LoadedModel) => Promise<StepValues>;

/** @param golden folder of golden cases; Mini alone without one */
export async function measureQuantisation(
  golden: string | undefined,
  report: (figure: QuantisationFigure) => void,
): Promise<{ readonly adapter: string; readonly figures: QuantisationFigure[] }> {
  const { device: gpu, adapterName, isSoftware } = await requestNodeDevice();
  const device = new EngineDevice(gpu, { name: adapterName, isSoftware });
  const figures: QuantisationFigure[] = [];
  for (const { name, file, step } of [...(await goldenSteps(golden)), miniCase()]) {
    const exact = await measured(device, file, { weightType: "f32", activationType: "f32" }, step);
    for (const storage of STORAGES) {
      const stored = await measured(device, file, storage, step);
      const figure = {
        case: name,
        ...storage,
        prediction: relativeError(stored.prediction, exact.prediction),
        gradients: relativeError(stored.gradients, exact.gradients),
        weightBytes: stored.weightBytes,
      };
      figures.push(figure);
      report(figure);
    }
  }
  return { adapter: adapterName, figures };
}

async function measured(
  device: EngineDevice,
  file: string,
  storage: Storage,
  step: Step,
): Promise<StepValues & { readonly weightBytes: number }> {
  const source = await openFileSource(file);
  try {
    const model = await openCheckpoint(device, source, storage);
    const values = await step(model);
    const weightBytes = model.weights.bytes;
    await model.release();
    return { ...values, weightBytes };
  } finally {
    await source.close();
  }
}

function miniCase() {
  return { name: "mini", file: MINI, step: miniStep };
}

async function goldenSteps(folder: string | undefined) {
  if (folder === undefined) return [];
  const base = path.resolve(root, folder);
  const cases = await Promise.all((await findCaseFolders(base)).map((dir) => loadCase(dir, base)));
  const steps: { name: string; file: string; step: Step }[] = [];
  for (const c of cases.filter((one) => kindOf(one) === "lora-step")) {
    if (unbuiltOption(params(c)) !== undefined) continue;
    const file = path.join(c.root, String(c.case["model"]));
    steps.push({ name: c.name, file, step: (model) => flatStep(c, model) });
  }
  return steps;
}

/** Half-precision runs scale their gradients by the loss scale; a ratio of norms would not see it, a difference does. */
async function flatStep(c: VerifyCase, model: LoadedModel): Promise<StepValues> {
  const { prediction, gradients } = await goldenStep(c, model);
  const scale = model.activationType === "f16" ? 1 / 1024 : 1;
  const all = [...gradients].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, values]) => [...values]);
  return { prediction, gradients: Float32Array.from(all, (value) => value * scale) };
}

/** One line of the report. */
export function quantisationText(figure: QuantisationFigure): string {
  const { weightType, activationType, prediction, gradients, weightBytes } = figure;
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const size = `${(weightBytes / 2 ** 20).toFixed(1)} MiB`;
  return `${figure.case}: weights ${weightType}, activations ${activationType}: prediction ${percent(prediction)}, LoRA gradients ${percent(gradients)} off f32; ${size} of weights`;
}

export function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  expected.forEach((value, i) => {
    difference += ((actual[i] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}
