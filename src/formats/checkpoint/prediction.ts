/** Finds out whether a checkpoint predicts the noise or the velocity. */
import type { SafetensorsHeader } from "../safetensors/header";
import type { ByteSource } from "../safetensors/source";
import { readTensor } from "../safetensors/tensor";
import type { FamilyName, PredictionName } from "./config";
import type { ConfigHints } from "./hints";
import { UNET_PREFIX } from "./layout";

export interface PredictionGuess {
  prediction: PredictionName;
  /** What told it; `statistics` and `family` are guesses that a person may want to override. */
  from: "config" | "metadata" | "marker" | "statistics" | "family";
}

/** From what the header says: config, `modelspec.prediction_type`, SDXL's marker key `v_pred`, else the family's usual. */
export function predictionFromHeader(
  header: SafetensorsHeader,
  family: FamilyName,
  hints: ConfigHints,
): PredictionGuess {
  if (hints.prediction) return { prediction: hints.prediction, from: "config" };
  const written = header.metadata.get("modelspec.prediction_type");
  if (written === "epsilon" || written === "v") return { prediction: written, from: "metadata" };
  if (header.tensors.has("v_pred")) return { prediction: "v", from: "marker" };
  return { prediction: family === "sd2" ? "v" : "epsilon", from: "family" };
}

/** A norm whose bias spreads wider than this belongs to a v-prediction SD2 model (ComfyUI's rule). */
const V_BIAS_DEVIATION = 0.09;

/** SD2 exists in both kinds without saying which; the spread of one bias tells them apart. */
export async function refineSd2Prediction(
  guess: PredictionGuess,
  header: SafetensorsHeader,
  source: ByteSource,
): Promise<PredictionGuess> {
  const info = header.tensors.get(`${UNET_PREFIX}output_blocks.11.1.transformer_blocks.0.norm1.bias`);
  if (guess.from !== "family" || !info) return guess;
  const deviation = standardDeviation(await readTensor(source, info, "f32"));
  return { prediction: deviation > V_BIAS_DEVIATION ? "v" : "epsilon", from: "statistics" };
}

/** Population standard deviation. */
function standardDeviation(values: Float32Array): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
}
