/** The shared, lazily made resources of one verify run. */
import type { VerifyAdapter, VerifyEnv } from "./types";

export function createVerifyEnv(): VerifyEnv {
  const made = new Map<string, Promise<unknown>>();
  function once<T>(key: string, make: () => Promise<T>): Promise<T> {
    if (!made.has(key)) made.set(key, make());
    return made.get(key) as Promise<T>; // keys name one type each
  }
  return { once, adapter: () => once("adapter", openAdapter) };
}

async function openAdapter(): Promise<VerifyAdapter> {
  const { requestNodeDevice } = await import("../lib/device");
  const { device, adapterName, isSoftware } = await requestNodeDevice();
  return { gpu: device, name: adapterName, isSoftware };
}
