import { sha256 } from "hash-wasm";
import { expect, test } from "vitest";
import { newestValid, type Slot } from "./slots";

async function slot(sequence: number, text: string): Promise<Slot> {
  const bytes = new TextEncoder().encode(text);
  return { sequence, step: sequence * 10, bytes, lora: new Uint8Array(), checksum: await sha256(bytes) };
}

test("the newest slot is read", async () => {
  const slots = [await slot(4, "four"), await slot(3, "three")];
  expect((await newestValid(slots))?.sequence).toBe(4);
});

test("T-C3: a torn newest slot falls back to the older one", async () => {
  const torn = await slot(4, "four");
  torn.bytes = torn.bytes.slice(0, 2);
  expect((await newestValid([torn, await slot(3, "three")]))?.sequence).toBe(3);
});

test("no slot is better than a wrong one", async () => {
  const torn = await slot(0, "zero");
  torn.bytes[0] = 0;
  expect(await newestValid([torn, undefined])).toBeUndefined();
});
