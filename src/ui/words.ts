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
