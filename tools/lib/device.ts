/**
 * A WebGPU device without a browser: Dawn (npm `webgpu`), the implementation inside Chrome, on a real GPU where
 * there is one, else on the processor through lavapipe or SwiftShader.
 *
 * Dawn prints two warnings about `maxDynamic…BuffersPerPipelineLayout` on lavapipe; they are harmless.
 */
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { WeftError } from "../../src/base/errors";
import { ensureKernelDriver } from "../bootstrap/lavapipe";
import { findDriver, hasGpu } from "./vulkan";

export type AdapterChoice = "lavapipe" | "swiftshader" | "default";

export interface NodeDeviceOptions {
  /** Which adapter; without it `WEFT_ADAPTER` decides, then what the machine has. */
  adapter?: AdapterChoice;
  /** Never take a real GPU. */
  software?: boolean;
  /** Dawn toggles to enable, e.g. `disable_workgroup_init`, `dump_shaders`. */
  toggles?: string[];
  /** Of the features asked for when present ({@link wantedFeatures}), the ones to leave out. */
  without?: GPUFeatureName[];
}

export interface NodeDevice {
  device: GPUDevice;
  /** The driver's own words, e.g. `llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)`. */
  adapterName: string;
  isSoftware: boolean;
  /** Destroys the device; call it when done. */
  release(): void;
}

/** Asked for when the adapter has them; the engine works without any. */
const wantedFeatures: GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];

/** Raised to what the adapter offers. The rest stays at WebGPU's defaults, as in a cautious page. */
const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
] as const;

/** Objects that Dawn must not lose to the garbage collector: a collected GPU object crashes the process. */
const kept: GPU[] = [];

const choices: readonly AdapterChoice[] = ["lavapipe", "swiftshader", "default"];

function chosenAdapter(options: NodeDeviceOptions): AdapterChoice | undefined {
  if (options.adapter) return options.adapter;
  const named = process.env["WEFT_ADAPTER"];
  if (!named) return undefined;
  const choice = choices.find((one) => one === named);
  if (choice) return choice;
  throw new WeftError("adapter-unknown", `WEFT_ADAPTER is "${named}".`, `Use one of: ${choices.join(", ")}.`);
}

/** In which order to try. A `VK_ICD_FILENAMES` set from outside is a decision already made. */
function adapterOrder(options: NodeDeviceOptions): AdapterChoice[] {
  const chosen = chosenAdapter(options);
  if (chosen) return [chosen];
  if (process.env["VK_ICD_FILENAMES"]) return ["default"];
  if (options.software) return ["lavapipe", "swiftshader"];
  return hasGpu() ? ["default", "lavapipe", "swiftshader"] : ["lavapipe", "swiftshader", "default"];
}

/** What Mesa's drivers need around them. Must be in place before Dawn loads the Vulkan library. */
function prepareEnvironment(): void {
  process.env["XDG_RUNTIME_DIR"] ??= tmpdir();
  if (process.env["MESA_SHADER_CACHE_DIR"]) return;
  // lavapipe compiles at first dispatch, seconds for a big kernel; from this folder it is milliseconds.
  const cache = path.resolve(import.meta.dirname, "../../node_modules/.cache/mesa");
  mkdirSync(cache, { recursive: true });
  process.env["MESA_SHADER_CACHE_DIR"] = cache;
}

async function createGpu(toggles: string[]): Promise<GPU> {
  const { create, globals } = await import("webgpu");
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  const gpu = create(toggles.length > 0 ? [`enable-dawn-features=${toggles.join(",")}`] : []);
  kept.push(gpu);
  return gpu;
}

/** The tail of the queue of openings: each sets variables of the process, so they go one after the other. */
let lastOpening: Promise<unknown> = Promise.resolve();

function oneAtATime<T>(body: () => Promise<T>): Promise<T> {
  const opening = lastOpening.then(body, body);
  lastOpening = opening;
  return opening;
}

/** Runs `body` with the Vulkan loader restricted to one driver file. */
async function withDriver<T>(file: string | undefined, body: () => Promise<T>): Promise<T> {
  if (file === undefined) return body();
  const before = process.env["VK_ICD_FILENAMES"];
  process.env["VK_ICD_FILENAMES"] = file;
  try {
    return await body();
  } finally {
    if (before === undefined) delete process.env["VK_ICD_FILENAMES"];
    else process.env["VK_ICD_FILENAMES"] = before;
  }
}

async function tryAdapter(choice: AdapterChoice, toggles: string[]): Promise<GPUAdapter | null> {
  const driver = choice === "default" ? undefined : findDriver(choice);
  if (choice !== "default" && driver === undefined) return null;
  return withDriver(driver, async () => {
    const gpu = await createGpu(toggles);
    return gpu.requestAdapter({ powerPreference: "high-performance" });
  });
}

async function firstAdapter(order: AdapterChoice[], toggles: string[]): Promise<GPUAdapter | undefined> {
  for (const choice of order) {
    const adapter = await tryAdapter(choice, toggles);
    if (adapter) return adapter;
  }
  return undefined;
}

/** On a machine with no driver at all, one is installed and the search repeated. */
async function findAdapter(options: NodeDeviceOptions): Promise<GPUAdapter> {
  const order = adapterOrder(options);
  const toggles = options.toggles ?? [];
  const adapter = await firstAdapter(order, toggles);
  if (adapter) return adapter;
  ensureKernelDriver();
  const installed = await firstAdapter(order, toggles);
  if (installed) return installed;
  throw new WeftError(
    "no-adapter",
    `No WebGPU adapter was found (tried: ${order.join(", ")}).`,
    "On Debian or Ubuntu: apt-get install mesa-vulkan-drivers chromium. Mesa must be version 23 or newer.",
  );
}

/** True for adapters that compute on the processor. */
function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  return info.isFallbackAdapter || /llvmpipe|swiftshader|basic render/.test(words);
}

async function openDevice(adapter: GPUAdapter, without: GPUFeatureName[]): Promise<GPUDevice> {
  const requiredFeatures = wantedFeatures.filter(
    (name) => adapter.features.has(name) && !without.includes(name),
  );
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({ label: "weft", requiredFeatures, requiredLimits });
}

/** Says in words what went wrong with the device; the engine decides what to do about it. */
function reportTrouble(device: GPUDevice, adapterName: string): void {
  void device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed")
      process.stderr.write(`weft: the device was lost (${adapterName}): ${message}\n`);
  });
  device.addEventListener("uncapturederror", ({ error }) => {
    const what = error.constructor.name === "GPUOutOfMemoryError" ? "ran out of memory" : "refused a command";
    process.stderr.write(`weft: the device ${what}: ${error.message}\n`);
  });
}

/**
 * Opens a device for tools and tests, with the adapter's full memory limits and the optional features it has.
 * @throws WeftError `no-adapter` when the machine has no Vulkan driver that Dawn accepts.
 */
export async function requestNodeDevice(options: NodeDeviceOptions = {}): Promise<NodeDevice> {
  prepareEnvironment();
  const adapter = await oneAtATime(() => findAdapter(options));
  const device = await openDevice(adapter, options.without ?? []);
  const adapterName = adapter.info.description || `${adapter.info.vendor} ${adapter.info.architecture}`;
  reportTrouble(device, adapterName);
  return {
    device,
    adapterName,
    isSoftware: isSoftwareAdapter(adapter.info),
    release: () => device.destroy(),
  };
}
