import source from "../../../shaders/gradientNorm.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const gradientNorm = defineKernel({
  name: "gradientNorm",
  source,
  bindings: [read("partial"), read("scalars"), write("report")],
  parameters: { count: "u32", lossScaleIndex: "u32", maxGradNormIndex: "u32" },
  workgroup: [1, 1, 1],
});
