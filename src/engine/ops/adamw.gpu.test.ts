import { describe, expect, it } from "vitest";
import type { EngineDevice } from "../device";
import { GraphBuilder } from "../graph";
import { lower } from "../lowering";
import { ParameterBuffers } from "../parameters";
import { plan } from "../planner";
import { Program } from "../program";
import { STEP_SCALAR_COUNT, STEP_SCALARS } from "../stepScalars";
import { testDevice } from "../testing/testDevice";
import { adamwUpdate } from "./adamw";

/** Settings of the reference table (kohya-training: θ0 and five gradients, lr 0.01, weight decay 0.01). */
const START = [1, -2, 0.5, 0.25];
const GRADIENTS = [
  [0.1, -0.2, 0.05, 0.4],
  [0.3, 0.05, -0.1, 0.2],
  [-0.2, 0.1, 0.02, -0.3],
  [0.15, 0.15, 0.1, 0.1],
  [0.05, -0.3, 0.2, 0],
];

interface Rig {
  readonly update: (
    gradient: readonly number[],
    step: number,
    overrides?: Readonly<Record<number, number>>,
  ) => Promise<Float32Array>;
  readonly buffers: ParameterBuffers;
}

async function rig(device: EngineDevice, length: number, textEnd: number): Promise<Rig> {
  const graph = new GraphBuilder({ activationType: "f32" });
  graph.parameter("values", [length]);
  const scalars = graph.input("scalars", [STEP_SCALAR_COUNT]);
  graph.phase = "update";
  const report = graph.keep(adamwUpdate(graph, "adamw", scalars, textEnd));
  const buffers = new ParameterBuffers(device, graph.parameters);
  for (const role of ["parameter", "gradient", "moment1", "moment2"] as const)
    buffers.write(role, new Float32Array(graph.parameters.length));
  const execution = plan(graph, lower(graph, device.policy), { weightType: "f32", flatBuffers: 4 });
  const program = await Program.compile(device, execution, { parameters: buffers });
  return {
    buffers,
    update: async (gradient, step, overrides = {}) => {
      const flat = new Float32Array(graph.parameters.length);
      flat.set(gradient);
      buffers.write("gradient", flat);
      program.write(scalars, stepScalars(step, overrides));
      program.run();
      return program.read(report);
    },
  };
}

function stepScalars(step: number, overrides: Readonly<Record<number, number>>): Float32Array<ArrayBuffer> {
  const values = new Float32Array(STEP_SCALAR_COUNT);
  values[STEP_SCALARS.learningRate] = 0.01;
  values[STEP_SCALARS.textEncoderLearningRate] = 0.01;
  values[STEP_SCALARS.biasCorrection1] = 1 - 0.9 ** step;
  values[STEP_SCALARS.biasCorrection2Sqrt] = Math.sqrt(1 - 0.999 ** step);
  values[STEP_SCALARS.lossScale] = 1;
  values[STEP_SCALARS.weightDecay] = 0.01;
  values[STEP_SCALARS.beta1] = 0.9;
  values[STEP_SCALARS.beta2] = 0.999;
  values[STEP_SCALARS.epsilon] = 1e-8;
  for (const [index, value] of Object.entries(overrides)) values[Number(index)] = value;
  return values;
}

async function values(buffers: ParameterBuffers, count: number): Promise<number[]> {
  return [...(await buffers.read("parameter")).slice(0, count)];
}

function started(buffers: ParameterBuffers, start: readonly number[]): void {
  const flat = new Float32Array(buffers.layout.length);
  flat.set(start);
  buffers.write("parameter", flat);
}

describe("adamw", () => {
  it("gives torch's values after one, two and five steps", async () => {
    const { update, buffers } = await rig(await testDevice(), 4, 0);
    started(buffers, START);
    const after: number[][] = [];
    for (const [index, gradient] of GRADIENTS.entries()) {
      await update(gradient, index + 1);
      after.push(await values(buffers, 4));
    }
    const expected: Record<number, number[]> = {
      0: [0.9899, -1.9898, 0.48995, 0.239975],
      1: [0.9806232, -1.9849063, 0.49356204, 0.23062919],
      4: [0.96949416, -1.984295, 0.48646161, 0.22258107],
    };
    for (const [step, wanted] of Object.entries(expected))
      wanted.forEach((value, i) => expect(after[Number(step)]?.[i]).toBeCloseTo(value, 6));
  });

  it("clips to the maximum norm and reports the norm before clipping", async () => {
    const device = await testDevice();
    const clipped = await rig(device, 4, 0);
    const scaled = await rig(device, 4, 0);
    const [norm] = await clipped.update([3, 0, 4, 0], 1, { [STEP_SCALARS.maxGradNorm]: 1 });
    expect(norm).toBeCloseTo(5, 6);
    await scaled.update([0.6, 0, 0.8, 0], 1);
    const [a, b] = [await clipped.buffers.read("moment1"), await scaled.buffers.read("moment1")];
    a.forEach((value, i) => expect(value).toBeCloseTo(b[i] ?? Number.NaN, 6));
  });

  it("divides the loss scale out", async () => {
    const { update, buffers } = await rig(await testDevice(), 4, 0);
    const [norm] = await update([3 * 256, 0, 4 * 256, 0], 1, { [STEP_SCALARS.lossScale]: 256 });
    expect(norm).toBeCloseTo(5, 5);
    expect((await buffers.read("moment1"))[0]).toBeCloseTo(0.3, 6);
  });

  it.each([Number.NaN, Infinity])("changes nothing when a gradient is %s, and says so", async (bad) => {
    const { update, buffers } = await rig(await testDevice(), 4, 0);
    started(buffers, START);
    const [, skipped] = await update([0.1, bad, 0, 0], 1);
    expect(skipped).toBe(1);
    expect(await values(buffers, 4)).toEqual(START);
    expect([...(await buffers.read("moment1")).slice(0, 4)]).toEqual([0, 0, 0, 0]);
  });

  it("uses the text encoder's rate up to its border", async () => {
    const { update, buffers } = await rig(await testDevice(), 128, 64);
    await update(new Array<number>(128).fill(1), 1, { [STEP_SCALARS.textEncoderLearningRate]: 0 });
    const after = await values(buffers, 128);
    expect(after.slice(0, 64).every((value) => value === 0)).toBe(true);
    expect(after.slice(64).every((value) => Math.abs(value + 0.01) < 1e-6)).toBe(true);
  });
});
