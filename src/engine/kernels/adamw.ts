import source from "../../../shaders/adamw.wgsl?raw";
import { STEP_SCALARS } from "../stepScalars";
import { defineKernel, read, update } from "./kernel";

const indices = {
  LEARNING_RATE: STEP_SCALARS.learningRate,
  TEXT_LEARNING_RATE: STEP_SCALARS.textEncoderLearningRate,
  BETA1: STEP_SCALARS.beta1,
  BETA2: STEP_SCALARS.beta2,
  WEIGHT_DECAY: STEP_SCALARS.weightDecay,
  EPSILON: STEP_SCALARS.epsilon,
  BIAS_CORRECTION1: STEP_SCALARS.biasCorrection1,
  BIAS_CORRECTION2_SQRT: STEP_SCALARS.biasCorrection2Sqrt,
};

export const adamw = defineKernel({
  name: "adamw",
  source: `${Object.entries(indices)
    .map(([name, index]) => `const ${name} = ${index}u;`)
    .join("\n")}\n${source}`,
  bindings: [
    update("value"),
    update("moment1"),
    update("moment2"),
    read("gradient"),
    read("report"),
    read("scalars"),
  ],
  parameters: { count: "u32", textQuads: "u32" },
  workgroup: [64, 1, 1],
});
