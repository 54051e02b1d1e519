/**
 * Starting points for a run. Plain data: what a person picks, and the settings behind it for each family of models.
 * SD1 values lie between kohya's (1e-4) and Civitai's (5e-4) for SD1.5, SD2's are the same one picture at a time, as its
 * pictures are larger; SDXL's are kohya's SDXL presets (rank 32, alpha 16, 1e-4, noise offset 0.0357); Mini's are those of
 * its prototype's LoRA runs (docs/mini.md).
 */
import { plainCaptions } from "../dataset/captionPlan";
import type { TrainingSettings } from "../workers/engine/api";

export type PresetId = "style" | "character" | "concept";

export interface Preset {
  id: PresetId;
  title: string;
  line: string;
}

export const presets: readonly Preset[] = [
  { id: "style", title: "Style", line: "A look that works on any subject" },
  { id: "character", title: "Character", line: "One person, creature or mascot" },
  { id: "concept", title: "Concept", line: "A thing, a pose, a piece of clothing" },
];

/** What the presets decide; the rest is the person's. */
type Recipe = Omit<TrainingSettings, "name" | "preset" | "trigger" | "resolution" | "seed" | "samplePrompt">;

const common = {
  ...plainCaptions,
  trainTextEncoder: false,
  textEncoderLearningRate: 0,
  weightDecay: 0.01,
  maxGradNorm: 1,
  clipSkip: 1,
  gradientCheckpointing: false,
  memoryLimit: 0,
  minSnrGamma: 0,
  noiseOffset: 0,
  fixedNoiseDraws: 32,
  lrScheduler: "cosine",
} as const satisfies Partial<Recipe>;

const mini = { ...common, batchSize: 4, rank: 8, alpha: 8, learningRate: 2e-3, minSnrGamma: 5 } as const;
const sd1 = { ...common, batchSize: 2, rank: 16, alpha: 16, learningRate: 2e-4, minSnrGamma: 5 } as const;
const sd2 = { ...sd1, batchSize: 1 } as const;
const sdxl = { ...sd1, batchSize: 1, rank: 32, alpha: 16, learningRate: 1e-4, noiseOffset: 0.0357 } as const;

/** Looks and things take more room than a face. */
const roomy = { rank: 32, alpha: 16 } as const;

type Recipes = Record<PresetId, Recipe>;

const miniRecipes: Recipes = {
  style: { ...mini, steps: 150, lrWarmupSteps: 15, sampleEvery: 50, saveEvery: 25 },
  character: { ...mini, steps: 200, lrWarmupSteps: 20, sampleEvery: 50, saveEvery: 25 },
  concept: { ...mini, steps: 250, lrWarmupSteps: 25, sampleEvery: 50, saveEvery: 25 },
};

const largeRecipes: Record<"sd1" | "sd2" | "sdxl", Recipes> = {
  sd1: {
    style: { ...sd1, ...roomy, steps: 1500, lrWarmupSteps: 150, sampleEvery: 250, saveEvery: 100 },
    character: { ...sd1, steps: 1200, lrWarmupSteps: 120, sampleEvery: 200, saveEvery: 100 },
    concept: { ...sd1, ...roomy, steps: 1600, lrWarmupSteps: 160, sampleEvery: 250, saveEvery: 100 },
  },
  sd2: {
    style: { ...sd2, ...roomy, steps: 2000, lrWarmupSteps: 200, sampleEvery: 250, saveEvery: 100 },
    character: { ...sd2, steps: 1600, lrWarmupSteps: 160, sampleEvery: 200, saveEvery: 100 },
    concept: { ...sd2, ...roomy, steps: 2000, lrWarmupSteps: 200, sampleEvery: 250, saveEvery: 100 },
  },
  sdxl: {
    style: { ...sdxl, steps: 2000, lrWarmupSteps: 200, sampleEvery: 250, saveEvery: 100 },
    character: { ...sdxl, steps: 1600, lrWarmupSteps: 160, sampleEvery: 200, saveEvery: 100 },
    concept: { ...sdxl, steps: 2000, lrWarmupSteps: 200, sampleEvery: 250, saveEvery: 100 },
  },
};

/** What a recipe depends on: a model's family, and the edge of the pictures it was made for. */
export interface RecipeModel {
  readonly family: string;
  /** In pixels. */
  readonly nativeSize: number;
}

/** The recipe of a preset for a model. */
export function recipe(preset: PresetId, { family, nativeSize }: RecipeModel): Recipe {
  if (nativeSize <= 256) return miniRecipes[preset];
  return largeRecipes[family === "sdxl" || family === "sd2" ? family : "sd1"][preset];
}

/** Most steps the length slider offers. */
export function maxSteps(nativeSize: number): number {
  return nativeSize <= 256 ? 1000 : 6000;
}
