/** The browser's GPU: what it is, and a device with all it offers. */
import { WeftError } from "../../base/errors";
import { EngineDevice } from "../../engine/device";
import type { GpuReport } from "./api";

const WANTED_FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

/** Looks without keeping anything. */
export async function probeGpu(): Promise<GpuReport> {
  if (!("gpu" in navigator)) return unusable("no-webgpu", "This browser has no WebGPU.");
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return unusable("no-adapter", "WebGPU found no graphics processor.");
  const isSoftware = isSoftwareAdapter(adapter);
  return {
    verdict: isSoftware ? "software" : "ready",
    name: adapterName(adapter),
    vendor: adapter.info.vendor,
    architecture: adapter.info.architecture,
    f16: adapter.features.has("shader-f16"),
    subgroups: adapter.features.has("subgroups"),
    maxBufferSize: adapter.limits.maxBufferSize,
    maxBindingSize: adapter.limits.maxStorageBufferBindingSize,
  };
}

/** @throws WeftError when there is no adapter or it gives no device */
export async function openGpu(): Promise<EngineDevice> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter)
    throw new WeftError(
      "no-adapter",
      "WebGPU found no graphics processor.",
      "See the Model room for what to do.",
    );
  const options = { name: adapterName(adapter), isSoftware: isSoftwareAdapter(adapter) };
  return new EngineDevice(await requestDevice(adapter), options);
}

/** With everything the adapter offers; browsers that refuse that get the plain request. */
async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    return await adapter.requestDevice({
      requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    });
  } catch {
    const again = await navigator.gpu.requestAdapter();
    if (!again) throw new WeftError("no-adapter", "The graphics processor went away.", "Reload the page.");
    return again.requestDevice();
  }
}

function isSoftwareAdapter({ info }: GPUAdapter): boolean {
  return (
    info.isFallbackAdapter ||
    SOFTWARE.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`)
  );
}

function adapterName(adapter: GPUAdapter): string {
  const { description, vendor, architecture } = adapter.info;
  const name = description || [vendor, architecture].filter(Boolean).join(" ") || "Graphics processor";
  return isSoftwareAdapter(adapter) ? `${name} (software)` : name;
}

function unusable(verdict: "no-webgpu" | "no-adapter", message: string): GpuReport {
  return {
    verdict,
    name: "",
    vendor: "",
    architecture: "",
    f16: false,
    subgroups: false,
    maxBufferSize: 0,
    maxBindingSize: 0,
    message,
  };
}
