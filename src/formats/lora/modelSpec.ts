/** The `modelspec.*` metadata (SAI ModelSpec 1.0.1) as sd-scripts writes it for LoRAs. */
import type { FamilyName } from "../checkpoint/config";
import type { TrainingFacts } from "./facts";

const ARCHITECTURE: Record<FamilyName, string> = {
  sd1: "stable-diffusion-v1/lora",
  sd2: "stable-diffusion-v2-512/lora",
  sdxl: "stable-diffusion-xl-v1-base/lora",
};

/** Forge lists an SD1 LoRA under SD1 models only with the right `modelspec.architecture`. */
export function modelSpec(facts: TrainingFacts): Map<string, string> {
  const { about = {}, resolution } = facts;
  const entries: [string, string | undefined][] = [
    ["sai_model_spec", "1.0.1"],
    ["architecture", architecture(facts)],
    [
      "implementation",
      facts.family === "sdxl" ? "https://github.com/Stability-AI/generative-models" : "diffusers",
    ],
    ["title", about.title || facts.outputName],
    ["resolution", `${resolution[0]}x${resolution[1]}`],
    ["date", new Date(facts.finishedAt * 1000).toISOString().slice(0, 19)],
    ["prediction_type", facts.prediction],
    ["encoder_layer", facts.clipSkip === null ? undefined : String(facts.clipSkip)],
    ["author", about.author],
    ["description", about.description],
    ["license", about.license],
    ["tags", about.tags],
    ["trigger_phrase", about.triggerPhrase],
  ];
  const present = entries.flatMap(([key, value]): [string, string][] =>
    value ? [[`modelspec.${key}`, value]] : [],
  );
  return new Map(present);
}

function architecture({ family, prediction }: TrainingFacts): string {
  return family === "sd2" && prediction === "v" ? "stable-diffusion-v2-768-v/lora" : ARCHITECTURE[family];
}
