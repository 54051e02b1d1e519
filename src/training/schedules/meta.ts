/** Learning-rate schedules for menus: plain data. Names are the trainer's `lr_scheduler` values. */

export type LrScheduleName =
  | "constant"
  | "constant_with_warmup"
  | "linear"
  | "cosine"
  | "cosine_with_restarts"
  | "cosine_with_min_lr"
  | "polynomial"
  | "inverse_sqrt"
  | "warmup_stable_decay";

export type LrScheduleOptionName =
  "warmupSteps" | "numCycles" | "power" | "minLrRatio" | "decaySteps" | "timescale";

export interface LrScheduleMeta {
  label: string;
  help: string;
  /** The options this schedule looks at; others have no effect and are not shown. */
  options: readonly LrScheduleOptionName[];
}

export const lrScheduleMeta: Record<LrScheduleName, LrScheduleMeta> = {
  constant: { label: "Constant", help: "The same rate throughout.", options: [] },
  constant_with_warmup: {
    label: "Constant with warm-up",
    help: "Rises from zero, then stays.",
    options: ["warmupSteps"],
  },
  linear: { label: "Linear", help: "Falls in a straight line to zero.", options: ["warmupSteps"] },
  cosine: {
    label: "Cosine",
    help: "Falls slowly, then fast, then slowly to zero.",
    options: ["warmupSteps"],
  },
  cosine_with_restarts: {
    label: "Cosine with restarts",
    help: "Several cosine falls, each from the full rate.",
    options: ["warmupSteps", "numCycles"],
  },
  cosine_with_min_lr: {
    label: "Cosine to a minimum",
    help: "A cosine fall that ends above zero.",
    options: ["warmupSteps", "numCycles", "minLrRatio"],
  },
  polynomial: {
    label: "Polynomial",
    help: "Falls to almost zero; a higher power falls faster at first.",
    options: ["warmupSteps", "power"],
  },
  inverse_sqrt: {
    label: "Inverse square root",
    help: "Falls ever more slowly, never to zero.",
    options: ["warmupSteps", "timescale"],
  },
  warmup_stable_decay: {
    label: "Warm-up, stable, decay",
    help: "Full rate for most of the run, a cosine fall at the end.",
    options: ["warmupSteps", "decaySteps", "numCycles", "minLrRatio"],
  },
};
