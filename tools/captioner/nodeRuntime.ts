/** onnxruntime-web in Node: the same kernels as the browser's, on the processor. */
import { InferenceSession, Tensor, env } from "onnxruntime-web";
import { onnxRuntime } from "../../src/workers/caption/onnxRuntime";

env.wasm.numThreads = 1;
env.logLevel = "error";

export const nodeRuntime = onnxRuntime(
  async (file) => InferenceSession.create(file, { executionProviders: ["wasm"] }),
  Tensor,
);
