/**
 * The one copy of ONNX Runtime, for captioners and for transformers.js alike (the build points its import here).
 *
 * Browsers that can suspend WebAssembly (JSPI: Chrome and its kin) get the build with WebGPU, 16 MB; others the plain
 * one, 14 MB, on the processor. The third build, for WebGPU without JSPI, is over the 25 MiB that static hosts allow.
 * Both come from this site: no content network, no threads (those would need cross-origin isolation).
 */
import jspiWasm from "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url";
import plainWasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";

export const canSuspend = "Suspending" in WebAssembly;

const ort = canSuspend ? await import("onnxruntime-web/jspi") : await import("onnxruntime-web/wasm");

ort.env.wasm.wasmPaths = { wasm: canSuspend ? jspiWasm : plainWasm };
ort.env.wasm.numThreads = 1;
ort.env.wasm.proxy = false;
ort.env.logLevel = "error";

export const { InferenceSession, Tensor, env } = ort;
