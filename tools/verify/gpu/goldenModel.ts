/** The checkpoint of a golden case on the GPU, opened once per run. */
import path from "node:path";
import { EngineDevice } from "../../../src/engine/device";
import { openCheckpoint } from "../../../src/models/openCheckpoint";
import type { LoadedModel } from "../../../src/models/loadedModel";
import { openFileSource } from "../../lib/fileSource";
import type { GoldenTensor, VerifyCase, VerifyEnv } from "../types";

/** Goldens are float32 results, so weights and activations are f32 here. */
export async function goldenModel(c: VerifyCase, env: VerifyEnv): Promise<LoadedModel> {
  const file = path.join(c.root, String(c.case["model"]));
  const device = await env.once("engine", async () => {
    const { gpu, name, isSoftware } = await env.adapter();
    return new EngineDevice(gpu, { name, isSoftware });
  });
  return env.once(`model ${file}`, () => open(device, file));
}

async function open(device: EngineDevice, file: string): Promise<LoadedModel> {
  const source = await openFileSource(file);
  try {
    return await openCheckpoint(device, source, { weightType: "f32", activationType: "f32" });
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** A float tensor of the case; throws when the case lacks it. */
export async function floats(
  c: VerifyCase,
  name: string,
): Promise<{ shape: number[]; data: Float32Array<ArrayBuffer> }> {
  const tensor = await goldenTensor(c, name);
  return { shape: tensor.shape, data: Float32Array.from(tensor.data) };
}

export async function goldenTensor(c: VerifyCase, name: string): Promise<GoldenTensor> {
  const tensor = (await c.tensors()).get(name);
  if (!tensor) throw new Error(`the case has no tensor "${name}"`);
  return tensor;
}

/** Rows of an integer tensor `[…, width]`. */
export function integerRows(tensor: GoldenTensor): number[][] {
  const width = tensor.shape.at(-1) ?? 1;
  const values = Array.from(tensor.data);
  return Array.from({ length: values.length / width }, (_, row) =>
    values.slice(row * width, (row + 1) * width),
  );
}

export function params(c: VerifyCase): Record<string, unknown> {
  const value = c.case["params"];
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
