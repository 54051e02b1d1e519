/**
 * Run checkpoints in two alternating slots. A write only ever touches the slot that does not hold the newest
 * checkpoint, and what is read back must match its checksum: a kill at any moment leaves one valid (T-C1, T-C3).
 */
import { sha256 } from "hash-wasm";
import { Files } from "./records";

/** A checkpoint as a run hands it over. */
export interface Snapshot {
  step: number;
  /** SHA-256 of `bytes`, hex. */
  checksum: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** The LoRA file of the same step, so that it can be had without a GPU. */
  lora: Uint8Array<ArrayBuffer>;
}

export interface Slot extends Snapshot {
  /** Grows by one with every write of a run. */
  sequence: number;
}

/** The slot with the highest sequence whose bytes match their checksum. */
export async function newestValid(slots: (Slot | undefined)[]): Promise<Slot | undefined> {
  const byAge = slots.filter((slot) => slot !== undefined).sort((a, b) => b.sequence - a.sequence);
  for (const slot of byAge) {
    if ((await sha256(slot.bytes)) === slot.checksum) return slot;
  }
  return undefined;
}

export class CheckpointSlots {
  #files: Files<Slot>;
  /** Sequence of the newest valid slot of each run written or read in this session. */
  #newest = new Map<string, number>();

  constructor(name: string) {
    this.#files = new Files(name);
  }

  async latest(runId: string): Promise<Slot | undefined> {
    const slot = await newestValid(await this.#read(runId));
    if (slot) this.#newest.set(runId, slot.sequence);
    return slot;
  }

  /** Writes `snapshot` over the older slot. @throws `storage-full` and `storage-failed`; the newer slot stays. */
  async save(runId: string, snapshot: Snapshot): Promise<void> {
    const newest = this.#newest.get(runId) ?? (await this.latest(runId))?.sequence ?? -1;
    const sequence = newest + 1;
    await this.#files.put(key(runId, sequence % 2), { ...snapshot, sequence });
    this.#newest.set(runId, sequence);
  }

  remove(runId: string): Promise<void> {
    return this.#files.removeUnder(`${runId}/`);
  }

  #read(runId: string): Promise<(Slot | undefined)[]> {
    return Promise.all([0, 1].map((slot) => this.#files.get(key(runId, slot))));
  }
}

function key(runId: string, slot: number): string {
  return `${runId}/${slot}`;
}
