import source from "../../../shaders/diffusionLossPartial.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

/** Constant V_PREDICTION: the target is the velocity instead of the noise. */
export const diffusionLossPartial = defineKernel({
  name: "diffusionLossPartial",
  source,
  bindings: [
    read("prediction"),
    read("x0"),
    read("noise"),
    read("coefficients"),
    optional("mask"),
    write("partial"),
  ],
  parameters: { slices: "u32", perImage: "u32" },
  workgroup: [64, 1, 1],
});
