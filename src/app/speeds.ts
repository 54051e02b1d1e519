/** Seconds per step measured on this machine, so that the next run of the kind can tell its time beforehand. */
import { get, set } from "idb-keyval";
import { strictStore } from "../storage/strict";
import type { TrainingSettings } from "../workers/engine/api";

export interface SpeedKind {
  adapter: string;
  modelHash: string;
  settings: TrainingSettings;
}

const speeds = strictStore("weft-speeds");

function keyOf({ adapter, modelHash, settings }: SpeedKind): string {
  const { resolution, batchSize, rank, trainTextEncoder } = settings;
  return [adapter, modelHash, resolution, batchSize, rank, trainTextEncoder].join("|");
}

/** Seconds per step of the last run of this kind; 0 when there was none. */
export async function knownSpeed(kind: SpeedKind): Promise<number> {
  const seconds = await get<unknown>(keyOf(kind), speeds);
  return typeof seconds === "number" ? seconds : 0;
}

export async function rememberSpeed(kind: SpeedKind, secondsPerStep: number): Promise<void> {
  if (secondsPerStep > 0) await set(keyOf(kind), secondsPerStep, speeds);
}
