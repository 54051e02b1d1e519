import source from "../../../shaders/diffusionLossGradient.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

/** Constant V_PREDICTION: the target is the velocity instead of the noise. */
export const diffusionLossGradient = defineKernel({
  name: "diffusionLossGradient",
  source,
  bindings: [
    read("prediction"),
    read("x0"),
    read("noise"),
    read("coefficients"),
    read("scalars"),
    optional("mask"),
    write("y"),
  ],
  parameters: { count: "u32", perImage: "u32", scale: "f32", lossScaleIndex: "u32" },
  workgroup: [64, 1, 1],
});
