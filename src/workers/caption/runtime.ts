/** ONNX Runtime in the worker, on the GPU where that is sensible. Loaded with the first captioner, not before. */
import type { InferenceSession } from "onnxruntime-web";
import type { OnnxRuntime } from "../../captioning/types";
import { onnxRuntime } from "./onnxRuntime";

export interface Device {
  gpu: boolean;
  f16: boolean;
}

/** A GPU that is one: a software adapter is slower than the processor and wrong in places. */
export async function findDevice(wanted: "processor" | "gpu"): Promise<Device> {
  const none = { gpu: false, f16: false };
  const { canSuspend } = await import("./ort");
  if (wanted === "processor" || !canSuspend || !("gpu" in navigator)) return none;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter || adapter.info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(adapter.info.description))
    return none;
  return adapter.info.architecture === "swiftshader"
    ? none
    : { gpu: true, f16: adapter.features.has("shader-f16") };
}

/** Runs graphs on `device`; one that the GPU cannot run goes to the processor. */
export async function openRuntime(device: Device): Promise<OnnxRuntime> {
  const ort = await import("./ort");
  const on = (file: Uint8Array, provider: "webgpu" | "wasm"): Promise<InferenceSession> =>
    ort.InferenceSession.create(file, {
      executionProviders: provider === "webgpu" ? ["webgpu", "wasm"] : ["wasm"],
      logSeverityLevel: 3,
    });
  const create = async (file: Uint8Array): Promise<InferenceSession> => {
    if (!device.gpu) return on(file, "wasm");
    try {
      return await on(file, "webgpu");
    } catch {
      return on(file, "wasm");
    }
  };
  return onnxRuntime(create, ort.Tensor);
}
