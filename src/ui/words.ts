/** Words for states that several components show. */
import type { Stage } from "../app/liveRun.svelte";
import type { RunRecord } from "../app/records";

export const stageWords: Record<Stage, string> = {
  reading: "Reading pictures",
  loading: "Loading the model",
  compiling: "Preparing the GPU",
  encoding: "Encoding pictures",
  measuring: "Checking what was learned",
  training: "Training",
  saving: "Saving",
};

export const statusWords: Record<RunRecord["status"], string> = {
  training: "Training",
  paused: "Paused",
  interrupted: "Interrupted",
  stopped: "Stopped early",
  finished: "Finished",
  failed: "Failed",
};

const families: Record<string, string> = {
  sd1: "Stable Diffusion 1.x",
  sd2: "Stable Diffusion 2.x",
  sdxl: "Stable Diffusion XL",
  vae: "VAE",
};

export function familyName(family: string): string {
  return families[family] ?? family;
}

export function predictionName(prediction: string): string {
  return prediction.startsWith("v") ? "velocity (v)" : "noise (epsilon)";
}

const storages: Record<string, string> = { f32: "32 bits", f16: "16 bits", q8: "8 bits", q4: "4 bits" };

/** How weights are stored, as people say it. */
export function storageName(storage: string): string {
  return storages[storage] ?? storage;
}
