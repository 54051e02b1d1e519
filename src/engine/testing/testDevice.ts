/** The Node device tests run on; `WEFT_ADAPTER` picks the adapter. One per test file. */
import { requestNodeDevice } from "../../../tools/lib/device";
import { EngineDevice } from "../device";
import type { KernelPolicy } from "../policy";

let shared: Promise<EngineDevice> | undefined;

/** The shared device with the policy of its adapter. */
export function testDevice(): Promise<EngineDevice> {
  shared ??= open();
  return shared;
}

/** The same GPU under another policy, e.g. to run the shared-memory kernels on a software adapter. */
export async function testDeviceWith(policy: KernelPolicy): Promise<EngineDevice> {
  const { gpu, name, isSoftware } = await testDevice();
  return new EngineDevice(gpu, { name, isSoftware, policy });
}

async function open(): Promise<EngineDevice> {
  const { device, adapterName, isSoftware } = await requestNodeDevice();
  return new EngineDevice(device, { name: adapterName, isSoftware });
}
