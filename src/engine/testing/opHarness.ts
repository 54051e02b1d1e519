/**
 * Checks an op on a device: its outputs against a float64 reference, its gradients against central differences of that
 * reference along random directions, and that two runs give the same bits even with a poisoned arena.
 */
import { f16ToF32, floatsToHalf } from "../../base/half";
import { arenaPiece } from "../arena";
import { differentiate } from "../autodiff";
import type { EngineDevice } from "../device";
import { GraphBuilder } from "../graph";
import { lower } from "../lowering";
import { ParameterBuffers } from "../parameters";
import { plan } from "../planner";
import { Program } from "../program";
import { STEP_SCALAR_COUNT } from "../stepScalars";
import { elementCount, type ActivationType, type Tensor, type WeightSpec, type WeightType } from "../tensor";
import { WeightStore } from "../weightStore";
import { packWeight, unpackWeight, weightTypeFor } from "../weights";

export interface CaseInput {
  readonly shape: readonly number[];
  /** `input` (default) takes the case's activation type; `f32` forces it; `u32` are ids; else a weight or parameter. */
  readonly as?: "input" | "f32" | "u32" | "parameter" | WeightSpec["layout"];
  /** Standard deviation and mean of the random values. */
  readonly scale?: number;
  readonly mean?: number;
  /** Own values instead of random ones. */
  readonly values?: (index: number) => number;
  /** Check the gradient with respect to this input. */
  readonly gradient?: true;
}

export type Values = Readonly<Record<string, Float64Array>>;

export interface OpCase {
  readonly inputs: Readonly<Record<string, CaseInput>>;
  /** Builds the op; returns the outputs to compare, in the order of `reference`. */
  readonly build: (graph: GraphBuilder, tensors: Readonly<Record<string, Tensor>>) => readonly Tensor[];
  /** Plain loops in double precision. */
  readonly reference: (values: Values) => readonly Float64Array[];
  readonly activationType?: ActivationType;
  readonly weightType?: WeightType;
  /** Relative L2 limit; default 1e-5 for f32 storage, 2e-3 for f16. */
  readonly tolerance?: number;
  readonly gradientTolerance?: number;
  readonly seed?: number;
  /** Values of the per-step scalars input, by index (see stepScalars.ts); default: accumulate 0, lossScale 1. */
  readonly scalars?: Readonly<Record<number, number>>;
  /** The outputs' vjp starts by itself (losses): no seeds are fed. The first output's first element must be the loss. */
  readonly isLoss?: true;
}

export interface OpReport {
  /** Relative L2 error of each output. */
  readonly outputErrors: readonly number[];
  /** Worst disagreement of directional derivatives, per checked input. */
  readonly gradientErrors: Readonly<Record<string, number>>;
  readonly repeatable: boolean;
  /** Gradients as computed on the GPU, by input. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
  readonly outputs: readonly Float32Array[];
}

const DIRECTIONS = 4;

/** Runs one case and throws with figures when it is outside its limits. */
export async function checkOp(device: EngineDevice, testCase: OpCase): Promise<OpReport> {
  const report = await measureOp(device, testCase);
  const half = testCase.activationType === "f16";
  const tolerance = testCase.tolerance ?? (half ? 2e-3 : 1e-5);
  const gradientTolerance = testCase.gradientTolerance ?? (half ? 1e-2 : 1e-4);
  report.outputErrors.forEach((error, index) => {
    if (!(error <= tolerance))
      throw new Error(`output ${index}: relative error ${error.toExponential(2)} > ${tolerance}`);
  });
  for (const [name, error] of Object.entries(report.gradientErrors)) {
    if (!(error <= gradientTolerance))
      throw new Error(`gradient of ${name}: error ${error.toExponential(2)} > ${gradientTolerance}`);
  }
  if (!report.repeatable) throw new Error("a second run on a poisoned arena gave other bits");
  return report;
}

export async function measureOp(device: EngineDevice, testCase: OpCase): Promise<OpReport> {
  const activationType = testCase.activationType ?? "f32";
  const weightType = testCase.weightType ?? "f32";
  const random = gaussian(testCase.seed ?? 1);
  const values = drawValues(testCase, random, activationType, weightType);
  const graph = new GraphBuilder({ activationType });
  const tensors = declareInputs(graph, testCase, activationType);
  const outputs = testCase.build(graph, tensors);
  for (const output of outputs) graph.keep(output);

  const wanted = Object.entries(testCase.inputs).filter(([, input]) => input.gradient);
  const seeds = testCase.isLoss
    ? []
    : outputs.map((output, index) => graph.input(`seed${index}`, output.shape, output.type));
  const scalars = graph.input("scalars", [STEP_SCALAR_COUNT]);
  const gradientTensors =
    wanted.length > 0
      ? addBackward(graph, testCase, tensors, outputs, seeds, scalars, wanted)
      : new Map<string, Tensor>();
  for (const tensor of gradientTensors.values()) if (tensor.role === "activation") graph.keep(tensor);

  const execution = plan(graph, lower(graph, device.policy), {
    weightType,
    flatBuffers: 4,
    arenaPiece: arenaPiece(device),
  });
  const weights = new WeightStore(device, weightType);
  const parameters = new ParameterBuffers(device, graph.parameters);
  for (const tensor of graph.weights)
    if (tensor.weight)
      weights.put(tensor.weight, Float32Array.from(values[tensor.name.split(":")[0] ?? ""] ?? []));
  uploadParameters(parameters, values);
  const program = await Program.compile(device, execution, { weights, parameters });

  const seedValues = seeds.map((seed) =>
    roundAs(
      seed.type === "f16",
      Float64Array.from({ length: elementCount(seed.shape) }, () => random()),
    ),
  );
  writeInputs(program, tensors, values);
  seeds.forEach((seed, index) => writeTensor(program, seed, seedValues[index] ?? new Float64Array()));
  const scalarValues = new Float32Array(STEP_SCALAR_COUNT);
  scalarValues[5] = 1;
  for (const [index, value] of Object.entries(testCase.scalars ?? {})) scalarValues[Number(index)] = value;
  program.write(scalars, scalarValues);

  const first = await runOnce(program, parameters, outputs, gradientTensors);
  program.poison();
  uploadParameters(parameters, values);
  const second = await runOnce(program, parameters, outputs, gradientTensors);
  program.dispose();
  weights.dispose();
  parameters.dispose();

  const reference = testCase.reference(values);
  const gradientErrors = Object.fromEntries(
    wanted.map(([name]) => [
      name,
      directionalError(
        testCase,
        values,
        name,
        first.gradients[name] ?? new Float32Array(),
        seedValues,
        random,
      ),
    ]),
  );
  return {
    outputErrors: first.outputs.map((output, index) =>
      relativeError(output, reference[index] ?? new Float64Array()),
    ),
    gradientErrors,
    repeatable: sameBits(first, second),
    gradients: first.gradients,
    outputs: first.outputs,
  };
}

/** ‖a − b‖ / ‖b‖; NaN when anything is not finite or lengths differ. */
export function relativeError(a: Float32Array, b: Float64Array): number {
  if (a.length < b.length) return Number.NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
    norm += (b[i] ?? 0) ** 2;
  }
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}

function addBackward(
  graph: GraphBuilder,
  testCase: OpCase,
  tensors: Readonly<Record<string, Tensor>>,
  outputs: readonly Tensor[],
  seeds: readonly Tensor[],
  scalars: Tensor,
  wanted: readonly (readonly [string, CaseInput])[],
): Map<string, Tensor> {
  const withRespectTo = wanted.flatMap(([name]) => tensors[name] ?? []);
  const roots = testCase.isLoss ? graph.nodes.slice(-1) : [];
  const pairs = seeds.map((gradient, index) => ({ of: outputs[index] ?? gradient, gradient }));
  const gradients = differentiate(graph, { scalars, roots, seeds: pairs, withRespectTo });
  const found = new Map<string, Tensor>();
  for (const [name] of wanted) {
    const tensor = tensors[name];
    const gradient =
      tensor && (tensor.role === "parameter" ? graph.slice("gradient", tensor) : gradients.get(tensor.id));
    if (!gradient) throw new Error(`no gradient arrived at ${name}`);
    found.set(name, gradient);
  }
  return found;
}

function declareInputs(
  graph: GraphBuilder,
  testCase: OpCase,
  activationType: ActivationType,
): Record<string, Tensor> {
  const declare = (name: string, { as = "input", shape }: CaseInput): Tensor => {
    switch (as) {
      case "input":
        return graph.input(name, shape, activationType);
      case "f32":
      case "u32":
        return graph.input(name, shape, as);
      case "parameter":
        return graph.parameter(name, shape);
      default:
        return graph.weight({ keys: [name], layout: as, shape });
    }
  };
  return Object.fromEntries(
    Object.entries(testCase.inputs).map(([name, input]) => [name, declare(name, input)]),
  );
}

function drawValues(
  testCase: OpCase,
  random: () => number,
  activationType: ActivationType,
  weightType: WeightType,
): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(testCase.inputs).map(([name, input]) => {
      const { shape, scale = 1, mean = 0, as = "input" } = input;
      const raw = Float64Array.from({ length: elementCount(shape) }, (_, index) =>
        input.values ? input.values(index) : Math.fround(mean + scale * random()),
      );
      if (as === "input") return [name, roundAs(activationType === "f16", raw)];
      if (as === "f32" || as === "u32" || as === "parameter")
        return [name, Float64Array.from(raw, Math.fround)];
      const type = weightTypeFor({ keys: [name], layout: as, shape }, weightType);
      return [
        name,
        Float64Array.from(unpackWeight(packWeight(Float32Array.from(raw), type), raw.length, type)),
      ];
    }),
  );
}

function roundAs(half: boolean, values: Float64Array): Float64Array {
  if (!half) return Float64Array.from(values, Math.fround);
  return Float64Array.from(floatsToHalf(Float32Array.from(values)), f16ToF32);
}

function uploadParameters(parameters: ParameterBuffers, values: Values): void {
  const flat = new Float32Array(parameters.layout.length);
  for (const { name, offset } of parameters.layout.slices) flat.set(values[name] ?? [], offset);
  if (flat.length > 0) parameters.write("parameter", flat);
}

function writeInputs(program: Program, tensors: Readonly<Record<string, Tensor>>, values: Values): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.role === "input") writeTensor(program, tensor, values[name] ?? new Float64Array());
  }
}

function writeTensor(program: Program, tensor: Tensor, values: Float64Array): void {
  if (tensor.type === "u32") program.write(tensor, Uint32Array.from(values));
  else if (tensor.type === "f32") program.write(tensor, Float32Array.from(values));
  else program.write(tensor, new Uint32Array(floatsToHalf(Float32Array.from(values)).buffer));
}

interface RunResult {
  outputs: Float32Array[];
  gradients: Record<string, Float32Array>;
}

async function runOnce(
  program: Program,
  parameters: ParameterBuffers,
  outputs: readonly Tensor[],
  gradients: ReadonlyMap<string, Tensor>,
): Promise<RunResult> {
  program.run();
  await program.finished();
  const result: RunResult = { outputs: [], gradients: {} };
  for (const output of outputs) result.outputs.push(await program.read(output));
  const flat = parameters.layout.length > 0 ? await parameters.read("gradient") : new Float32Array();
  for (const [name, tensor] of gradients) {
    const offset = tensor.offset;
    result.gradients[name] =
      offset === undefined
        ? await program.read(tensor)
        : flat.slice(offset, offset + elementCount(tensor.shape));
  }
  return result;
}

function sameBits(a: RunResult, b: RunResult): boolean {
  const all = (run: RunResult) => [...run.outputs, ...Object.values(run.gradients)];
  return all(a).every((values, index) => {
    const other = all(b)[index];
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const otherBits = other && new Uint32Array(other.buffer, other.byteOffset, other.length);
    return bits.every((bit, i) => bit === otherBits?.[i]);
  });
}

/** Largest |⟨v, g⟩ − central difference| over random directions, relative to ‖g‖‖v‖/√n (the size of a typical product). */
function directionalError(
  testCase: OpCase,
  values: Values,
  name: string,
  gradient: Float32Array,
  seeds: readonly Float64Array[],
  random: () => number,
): number {
  const point = values[name] ?? new Float64Array();
  const step = 1e-4;
  let worst = 0;
  for (let direction = 0; direction < DIRECTIONS; direction++) {
    const v = Float64Array.from(point, () => random());
    const ahead = objective(
      testCase,
      { ...values, [name]: point.map((x, i) => x + step * (v[i] ?? 0)) },
      seeds,
    );
    const behind = objective(
      testCase,
      { ...values, [name]: point.map((x, i) => x - step * (v[i] ?? 0)) },
      seeds,
    );
    const numeric = (ahead - behind) / (2 * step);
    let product = 0;
    let norm = 0;
    for (let i = 0; i < v.length; i++) {
      product += (v[i] ?? 0) * (gradient[i] ?? Number.NaN);
      norm += (gradient[i] ?? 0) ** 2;
    }
    const error = Math.abs(product - numeric) / Math.max(Math.sqrt(norm), 1e-12);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

function objective(testCase: OpCase, values: Values, seeds: readonly Float64Array[]): number {
  const outputs = testCase.reference(values);
  if (testCase.isLoss) return outputs[0]?.[0] ?? Number.NaN;
  let total = 0;
  seeds.forEach((seed, index) => seed.forEach((weight, i) => (total += weight * (outputs[index]?.[i] ?? 0))));
  return total;
}

/** Box–Muller over a small congruential generator: only for test data. */
function gaussian(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  const uniform = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (state + 0.5) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
