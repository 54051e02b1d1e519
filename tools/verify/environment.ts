/** The shared, lazily made resources of one verify run. */
import type { VerifyEnv } from "./types";

export function createVerifyEnv(): VerifyEnv {
  const made = new Map<string, Promise<unknown>>();
  function once<T>(key: string, make: () => Promise<T>): Promise<T> {
    if (!made.has(key)) made.set(key, make());
    return made.get(key) as Promise<T>; // keys name one type each
  }
  return { once, device: () => once("device", openDevice) };
}

async function openDevice(): Promise<GPUDevice> {
  const { requestNodeDevice } = await import("../lib/device");
  return (await requestNodeDevice()).device;
}
