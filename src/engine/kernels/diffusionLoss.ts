import source from "../../../shaders/diffusionLoss.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const diffusionLoss = defineKernel({
  name: "diffusionLoss",
  source,
  bindings: [read("partial"), read("coefficients"), write("losses")],
  parameters: { images: "u32", slices: "u32", elements: "f32" },
  workgroup: [64, 1, 1],
});
